"""Tools of Gemini's models, against a fake that checks calls, results and signatures as the API does."""

import json
from dataclasses import replace
from typing import Any

import pytest

from model_tools.rounds import calls_of, round_of, with_failed_call
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    ProviderError,
    TextPart,
    ToolCall,
    ToolDefinition,
    Unsupported,
    Waiting,
)
from tgllm.testing.asking import Heard, hear
from tgllm.testing.fake_providers import FakeGemini
from tgllm_gemini.provider import GeminiProvider

MODEL = "gemini-3.8-flash"
SCHEMA = {"$schema": "x", "type": "object", "properties": {"city": {"const": "Łódź"}}, "additionalProperties": False}
TOOLS = (ToolDefinition("weather", "Tells the weather.", SCHEMA), ToolDefinition("clock", "Tells the time.", SCHEMA))
WEATHER, CLOCK = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "clock", "{}")
QUESTION = ChatMessage("user", (TextPart("What is the weather?"),))


def ask(*later: ChatMessage, model: str = MODEL, **settings: Any) -> ChatRequest:
    return ChatRequest(model, (QUESTION, *later), tools=TOOLS, **settings)


async def two_calls(fake: FakeGemini, provider: GeminiProvider, form: str = "", model: str = MODEL) -> Heard:
    fake.call(WEATHER, CLOCK, form=form)
    return await hear(provider, ask(model=model))


class TestRequests:
    async def test_the_schema_goes_into_the_field_that_takes_all_of_it(
        self, fake: FakeGemini, provider: GeminiProvider
    ) -> None:
        await hear(provider, ask())

        (tool,) = fake.requests[-1].body["tools"]
        (first, _) = tool["functionDeclarations"]
        assert first == {"name": "weather", "description": "Tells the weather.", "parameters_json_schema": SCHEMA}
        assert "toolConfig" not in fake.requests[-1].body

    @pytest.mark.parametrize("model", ["gemini-3.1-flash-image", "gemma-3-27b-it"])
    async def test_a_model_without_tools(self, fake: FakeGemini, provider: GeminiProvider, model: str) -> None:
        with pytest.raises(Unsupported) as caught:
            await hear(provider, ask(model=model))
        assert (caught.value.code, fake.requests) == ("tools_unsupported", [])

    async def test_the_list_says_which_models_call_tools(self, provider: GeminiProvider) -> None:
        models = {model.id: model.tools for model in await provider.list_models()}

        assert (models[MODEL], models["gemini-3.1-flash-image"]) == (True, False)


class TestReplay:
    @pytest.mark.parametrize("form", ["", *sorted(FakeGemini.call_forms)])
    @pytest.mark.parametrize("model", [MODEL, "gemini-2.5-flash", "gemma-4-31b-it"])
    async def test_calls_go_back_together_with_their_signature(
        self, fake: FakeGemini, provider: GeminiProvider, form: str, model: str
    ) -> None:
        heard = await two_calls(fake, provider, form, model)
        fake.answer("It rains.")

        later = await hear(provider, ask(*round_of(heard, "rain", "12:30"), model=model))

        assert later.text == "It rains."
        assert [request.status for request in fake.requests] == [200, 200]
        _, called, results = fake.requests[-1].body["contents"]
        assert [part["functionCall"]["name"] for part in called["parts"] if "functionCall" in part] == [
            "weather",
            "clock",
        ]
        told = [part["functionResponse"] for part in results["parts"]]
        assert [each["response"] for each in told] == [{"output": "rain"}, {"output": "12:30"}]
        assert [each.get("id") for each in told] == [
            part["functionCall"].get("id") for part in called["parts"] if "functionCall" in part
        ]

    async def test_each_round_keeps_its_own_signature(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        first = round_of(await two_calls(fake, provider), "rain", "12:30")
        fake.call(CLOCK, text="Once more. ")
        second = round_of(await hear(provider, ask(*first)), "12:31")

        assert (await hear(provider, ask(*first, *second))).text == "(no text)"

        calls = [content["parts"] for content in fake.requests[-1].body["contents"] if content["role"] == "model"]
        assert [["thoughtSignature" in part for part in parts] for parts in calls] == [[True, False], [False, True]]

    async def test_a_failed_call_and_words_of_the_person(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        answer, results = round_of(await two_calls(fake, provider), "no such city", '{"$ref": "#/$defs/x"}')

        await hear(provider, ask(answer, with_failed_call(results)))

        *told, said = fake.requests[-1].body["contents"][2]["parts"]
        assert [part["functionResponse"]["response"] for part in told] == [
            {"error": "no such city"},
            {"output": '{"$ref": "#/$defs/x"}'},
        ]
        assert said == {"text": "Go on."}

    @pytest.mark.parametrize("data", [None, {}, {"parts": [{"text": "Hm"}]}])
    async def test_calls_of_another_model_are_told_as_text(
        self, fake: FakeGemini, provider: GeminiProvider, data: Any
    ) -> None:
        answer, results = round_of(await two_calls(fake, provider), "rain", "12:30")

        await hear(provider, ask(replace(answer, provider_data=data), results))

        _, called, told = fake.requests[-1].body["contents"]
        assert called["parts"] == [{"text": "I need weather and clock first."}]
        assert "".join(part["text"] for part in told["parts"]).count("returned:") == 2

    async def test_a_refused_signature_makes_the_calls_text(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        heard = await two_calls(fake, provider)

        assert (await hear(provider, ask(*round_of(heard, "rain", "12:30"), model="gemini-4-argon"))).finished

        assert [request.status for request in fake.requests] == [200, 400, 200]
        assert "functionCall" not in json.dumps(fake.requests[-1].body)

    async def test_an_answer_whose_calls_were_not_made_is_its_text(
        self, fake: FakeGemini, provider: GeminiProvider
    ) -> None:
        fake.call(WEATHER, text="Let me look.", finish="MAX_TOKENS")
        heard = await hear(provider, ask())
        said = ChatMessage("assistant", (TextPart(heard.text),), heard.finished.provider_data)

        await hear(provider, ask(said, QUESTION))

        assert heard.finished.reason == "length"
        assert fake.requests[-1].body["contents"][1]["parts"] == [{"text": "Let me look."}]

    async def test_the_same_tool_twice_without_ids_keeps_its_order(
        self, fake: FakeGemini, provider: GeminiProvider
    ) -> None:
        fake.call(WEATHER, WEATHER, form="no ids")
        heard = await hear(provider, ask())

        await hear(provider, ask(*round_of(heard, "one", "two")))

        assert len({call.id for call in calls_of(heard)}) == 2
        told = fake.requests[-1].body["contents"][2]["parts"]
        assert [part["functionResponse"]["response"]["output"] for part in told] == ["one", "two"]


class TestInvalidCalls:
    FINISHES = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS")

    @pytest.mark.parametrize("finish", FINISHES)
    async def test_the_model_is_asked_once_more(self, fake: FakeGemini, provider: GeminiProvider, finish: str) -> None:
        fake.answer("", reasoning="hm", finish=finish)
        fake.call(WEATHER)

        heard = await hear(provider, ask())

        assert [call.name for call in calls_of(heard)] == ["weather"]
        assert Waiting("retry") in heard.events

    @pytest.mark.parametrize("finish", FINISHES)
    async def test_then_it_is_an_error(self, fake: FakeGemini, provider: GeminiProvider, finish: str) -> None:
        for _ in range(2):
            fake.answer("", finish=finish)

        with pytest.raises(ProviderError, match=f"invalid call of a tool .*{finish}") as caught:
            await hear(provider, ask())
        assert caught.value.code == "broken_call"
        assert len(fake.requests) == 2

    async def test_a_text_that_was_shown_is_not_written_twice(self, fake: FakeGemini, provider: GeminiProvider) -> None:
        fake.answer("Let me look.", finish="MALFORMED_FUNCTION_CALL")

        with pytest.raises(ProviderError, match="invalid call"):
            await hear(provider, ask())
        assert len(fake.requests) == 1


async def test_tools_count(provider: GeminiProvider) -> None:
    request = ask()

    with_tools, alone = [await provider.count_tokens(each) for each in (request, replace(request, tools=()))]

    assert (with_tools or 0) > (alone or 0) + 20
