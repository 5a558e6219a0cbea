"""Tools of Claude, against a fake that checks calls, results and reasoning as the API does."""

import json
from dataclasses import replace
from typing import Any

import pytest

from model_tools.rounds import calls_of, round_of, with_failed_call
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    ProviderError,
    ReasoningDelta,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Unsupported,
)
from tgllm.testing.asking import hear
from tgllm.testing.fake_providers import FakeAnthropic
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.making import Make
from tgllm_anthropic.provider import AnthropicProvider

MODEL = "claude-sonnet-5-5"
OLDER = "claude-haiku-4-5-20251001"
BOTH = "claude-sonnet-4-6"
SCHEMA = {"$schema": "x", "type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = (ToolDefinition("weather", "Tells the weather.", SCHEMA), ToolDefinition("clock", "Tells the time.", SCHEMA))
WEATHER, CLOCK = ToolCall("", "weather", '{"city": "Łódź"}'), ToolCall("", "clock", "{}")
QUESTION = ChatMessage("user", (TextPart("What is the weather?"),))


def ask(*later: ChatMessage, model: str = MODEL, **settings: Any) -> ChatRequest:
    return ChatRequest(model, (QUESTION, *later), **{"tools": TOOLS, **settings})


def sent(fake: FakeAnthropic) -> Any:
    return fake.requests[-1].body


def kinds(message: Any) -> list[str]:
    return [block["type"] for block in message["content"]]


class TestRequests:
    async def test_tools_and_the_default_choice(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        await hear(provider, ask())

        first, second = sent(fake)["tools"]
        assert first == {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA}
        assert second["cache_control"] == {"type": "ephemeral"}
        assert "tool_choice" not in sent(fake)

    async def test_a_schema_with_alternatives_is_sent_without_them(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        city, place = {"city": {"type": "string"}}, {"place": {"type": "string"}}
        schema = {
            "type": "object",
            "properties": city,
            "anyOf": [{"required": ["city"]}, {"properties": place, "required": ["place"]}],
        }

        await hear(provider, ask(tools=(ToolDefinition("weather", "Tells the weather.", schema),)))

        assert sent(fake)["tools"][0]["input_schema"] == {"type": "object", "properties": city | place}

    @pytest.mark.parametrize(
        ("settings", "choice"),
        [
            ({"tool_choice": "none", "parallel_tools": False}, {"type": "none"}),
            ({"parallel_tools": False}, {"type": "auto", "disable_parallel_tool_use": True}),
            ({"tool_choice": "required"}, {"type": "any"}),
            (
                {"tool_choice": "tool:clock", "parallel_tools": False},
                {"type": "tool", "name": "clock", "disable_parallel_tool_use": True},
            ),
        ],
    )
    async def test_the_choice(
        self, fake: FakeAnthropic, provider: AnthropicProvider, settings: Any, choice: Any
    ) -> None:
        await hear(provider, ask(model=BOTH, **settings))

        assert sent(fake)["tool_choice"] == choice

    @pytest.mark.parametrize(
        ("model", "thinking"), [(OLDER, None), (BOTH, {"type": "adaptive", "display": "summarized"})]
    )
    async def test_a_forced_call_leaves_out_a_budget_of_reasoning(
        self, fake: FakeAnthropic, provider: AnthropicProvider, model: str, thinking: Any
    ) -> None:
        await hear(provider, ask(model=model, tool_choice="required", reasoning_effort="low"))

        assert sent(fake).get("thinking") == thinking

    async def test_a_model_that_can_t_be_forced(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        with pytest.raises(Unsupported, match="decides itself"):
            await hear(provider, ask(tool_choice="required"))
        assert not fake.requests

    async def test_the_beginning_is_marked_for_the_cache_once(
        self, fake: FakeAnthropic, provider: AnthropicProvider, make: Make
    ) -> None:
        await hear(provider, ask(system="Be kind."))
        assert "cache_control" not in sent(fake)["tools"][-1]
        assert sent(fake)["system"][0]["cache_control"] == {"type": "ephemeral"}

        await hear(await make(cache="off"), ask())
        assert "cache_control" not in json.dumps(sent(fake))


class TestReplay:
    async def test_the_arguments_are_shown_as_they_are_written(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.call(WEATHER)

        heard = await hear(provider, ask())

        deltas = [event for event in heard.events if isinstance(event, ToolCallDelta)]
        assert "".join(delta.arguments for delta in deltas) == WEATHER.arguments
        assert {delta.name for delta in deltas} == {"weather"}

    @pytest.mark.parametrize("form", ["", *sorted(FakeAnthropic.call_forms)])
    async def test_reasoning_text_and_calls_go_back_in_their_order(
        self, fake: FakeAnthropic, provider: AnthropicProvider, form: str
    ) -> None:
        fake.call(WEATHER, CLOCK, text="Let me look.", reasoning="Two things.", form=form)
        heard = await hear(provider, ask())
        fake.answer("It rains.")

        later = await hear(provider, ask(*round_of(heard, "rain", "12:30")))

        _, called, results = sent(fake)["messages"]
        assert later.text == "It rains."
        assert [request.status for request in fake.requests] == [200, 200]
        assert kinds(called) == ["thinking", "text", "tool_use", "tool_use"]
        assert [block["tool_use_id"] for block in results["content"]] == [call.id for call in calls_of(heard)]
        assert [block["content"] for block in results["content"]] == ["rain", "12:30"]

    async def test_reasoning_between_calls_stays_there(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.order(Answer((ReasoningDelta("First."), WEATHER, ReasoningDelta("Second."), CLOCK)))
        heard = await hear(provider, ask())

        await hear(provider, ask(*round_of(heard, "rain", "12:30")))

        assert kinds(sent(fake)["messages"][1]) == ["thinking", "tool_use", "thinking", "tool_use"]
        assert [request.status for request in fake.requests] == [200, 200]

    async def test_each_round_keeps_its_own_reasoning(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.call(WEATHER, reasoning="First.")
        first = round_of(await hear(provider, ask()), "rain")
        fake.call(CLOCK, reasoning="Second.")
        second = round_of(await hear(provider, ask(*first)), "12:30")

        assert (await hear(provider, ask(*first, *second, tool_choice="none"))).text

        answers = [message for message in sent(fake)["messages"] if message["role"] == "assistant"]
        assert [answer["content"][0]["thinking"] for answer in answers] == ["First.", "Second."]

    async def test_results_come_first_and_errors_are_marked(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.call(WEATHER, CLOCK)
        answer, results = round_of(await hear(provider, ask()), "no such city", " ")

        await hear(provider, ask(answer, with_failed_call(results)))

        first, second, said = sent(fake)["messages"][2]["content"]
        assert (first["content"], first["is_error"]) == ("no such city", True)
        assert "content" not in second
        assert said["text"] == "Go on."

    async def test_calls_of_another_model(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        call = ToolCallPart("ключ 1", "über.wetter", {"city": "Łódź"})
        answer, result = ChatMessage("assistant", (call,)), ToolResultPart(call.id, call.name, "rain")

        await hear(provider, ask(answer, ChatMessage("user", (result,))))

        _, called, results = sent(fake)["messages"]
        assert called["content"][0]["name"] == "_ber_wetter"
        assert called["content"][0]["id"] == results["content"][0]["tool_use_id"]

    async def test_without_tools_calls_are_told_as_text(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.call(WEATHER, reasoning="Hm.")
        heard = await hear(provider, ask())

        await hear(provider, ask(*round_of(heard, "rain"), tools=()))

        assert "tool_use" not in json.dumps(sent(fake))
        assert "returned:\nrain" in sent(fake)["messages"][2]["content"][0]["text"]

    async def test_an_answer_that_began_without_reasoning_ends_without_it(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.call(WEATHER)
        answer, results = round_of(await hear(provider, ask(model=OLDER)), "rain")

        await hear(provider, ask(answer, results, model=OLDER, reasoning_effort="low"))
        assert "thinking" not in sent(fake)
        await hear(provider, ask(answer, results, QUESTION, QUESTION, model=OLDER, reasoning_effort="low"))
        assert sent(fake)["thinking"]["type"] == "enabled"
        assert {request.status for request in fake.requests} == {200}

    async def test_refused_reasoning_is_left_out_with_its_budget(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.call(WEATHER, reasoning="Hm.")
        answer, results = round_of(await hear(provider, ask(model=OLDER, reasoning_effort="low")), "rain")
        text = json.dumps(answer.provider_data).replace('"Hm."', '"Changed."')

        await hear(
            provider,
            ask(replace(answer, provider_data=json.loads(text)), results, model=OLDER, reasoning_effort="low"),
        )

        assert [request.status for request in fake.requests] == [200, 400, 200]
        assert "thinking" not in json.dumps(sent(fake))

    async def test_reasoning_that_is_too_large_to_keep_is_left_out(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.call(WEATHER, reasoning="x" * 300_000)
        answer, results = round_of(await hear(provider, ask()), "rain")

        await hear(provider, ask(answer, results))

        assert answer.provider_data is None
        assert kinds(sent(fake)["messages"][1]) == ["tool_use"]


class TestEnds:
    async def test_calls_of_a_refused_answer_are_not_made(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        fake.call(WEATHER, text="Let me", finish="refusal")

        heard = await hear(provider, ask())

        assert (calls_of(heard), heard.finished.reason, heard.finished.provider_data) == ([], "filtered", None)

    async def test_a_service_without_tools(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.fault("/messages", fake.errors.invalid("tools: Extra inputs are not permitted"), times=None)

        with pytest.raises(Unsupported, match="Extra inputs") as caught:
            await hear(provider, ask())
        assert caught.value.code == "tools_unsupported"

    async def test_calls_of_tools_of_the_service_are_passed_over(
        self, fake: FakeAnthropic, provider: AnthropicProvider
    ) -> None:
        piece = {"type": "input_json_delta", "partial_json": "{}"}
        own = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
        fake.answer(
            [
                _event("content_block_start", index=0, content_block=own),
                # A gateway that does not count gives all blocks the same index.
                _event("content_block_start", index=0, content_block={"type": "server_tool_use", "name": "search"}),
                _event("content_block_delta", index=0, delta=piece),
                _event("content_block_delta", index=1, delta=piece),
                "Done.",
            ]
        )

        heard = await hear(provider, ask())

        assert [(call.id, call.name, call.arguments) for call in calls_of(heard)] == [("toolu_1", "weather", "{}")]

    async def test_a_block_that_is_no_call(self, fake: FakeAnthropic, provider: AnthropicProvider) -> None:
        fake.answer([_event("content_block_start", index=0, content_block={"type": "tool_use", "name": 5})])

        with pytest.raises(ProviderError, match=r"content_block\.name"):
            await hear(provider, ask())


def _event(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()
