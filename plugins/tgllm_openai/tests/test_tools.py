"""Tools of services with OpenAI's format: which models take them, and what goes back with their calls."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Unsupported,
)
from tgllm.testing.asking import Heard, failure, hear, question
from tgllm.testing.fake_providers import FakeOpenAI
from tgllm.testing.fake_providers.openai_api.dialects import FakeModel
from tgllm.testing.making import Make
from tgllm_openai.models import read_entry
from tgllm_openai.presets import load_presets

CLOCK = ToolDefinition("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})
CALLS = (ToolCall("", "clock", '{"zone": "UTC"}'), ToolCall("", "clock", '{"zone": "Asia/Tokyo"}'))


def ask(model: str = "large", **fields: Any) -> ChatRequest:
    return question(model, "What time is it?", tools=(CLOCK,), **fields)


def later(request: ChatRequest, heard: Heard, *, is_own: bool = True) -> ChatRequest:
    """The next request of a turn, with the results of the calls in an answer."""
    calls = [event for event in heard.events if isinstance(event, ToolCall)]
    parts = tuple(ToolCallPart(call.id, call.name, {"zone": "UTC"}) for call in calls)
    data = heard.finished.provider_data if is_own else None
    results = tuple(ToolResultPart(call.id, call.name, "noon") for call in calls)
    return replace(
        request, messages=(*request.messages, ChatMessage("assistant", parts, data), ChatMessage("user", results))
    )


def called(fake: FakeOpenAI) -> dict[str, Any]:
    """The message with calls in the last request."""
    (found,) = [message for message in fake.requests[-1].body["messages"] if message.get("tool_calls")]
    return found


class TestWhoTakesThem:
    @pytest.mark.parametrize("dialect", ["openrouter", "huggingface", "ollama", "lm_studio"])
    async def test_what_the_service_tells_counts(self, make: Make, fake: FakeOpenAI, dialect: str) -> None:
        fake._add(FakeModel("none", 8192, tools=False))
        presets = {"huggingface": "huggingface", "openrouter": "openrouter"}
        models = await (await make(preset=presets.get(dialect, dialect))).list_models()

        assert {model.id: model.tools for model in models if model.id in {"small", "none"}} == {
            "small": True,
            "none": False,
        }

    @pytest.mark.parametrize("dialect", ["plain"])
    @pytest.mark.parametrize("tools", [True, False, None])
    async def test_otherwise_the_setting_decides(self, make: Make, tools: bool | None) -> None:
        models = await (await make(tools=tools)).list_models()

        assert {model.tools for model in models} == {tools}

    @pytest.mark.parametrize(
        ("entry", "wanted"),
        [
            ({}, None),
            ({"supported_parameters": ["temperature", "tools"]}, True),
            ({"supported_parameters": ["temperature"]}, False),
            ({"tags": ["vision"]}, None),
            ({"tags": ["tool-use"]}, True),
            ({"capabilities": {"function_calling": False}}, False),
            ({"capabilities": ["completion", "tools"]}, True),
            ({"tool_call": True}, True),
            ({"providers": [{"supports_tools": False}, {"supports_tools": True}]}, True),
            ({"providers": [{"supports_tools": "yes"}, 7]}, None),
        ],
    )
    def test_how_lists_tell(self, entry: dict[str, Any], wanted: bool | None) -> None:
        model = read_entry({"id": "m", **entry}, load_presets()["openrouter"])

        assert model is not None
        assert model.tools is wanted

    async def test_a_service_without_tools_is_not_asked(self, make: Make, fake: FakeOpenAI) -> None:
        error = await failure(await make(tools=False), ask())

        assert (type(error), error.code) == (Unsupported, "tools_unsupported")
        assert fake.requests == []

    @pytest.mark.parametrize("dialect", ["openai", "openrouter", "groq", "vllm", "llama_cpp", "ollama"])
    async def test_a_model_that_takes_none_is_told_apart(self, make: Make, fake: FakeOpenAI, dialect: str) -> None:
        fake.refuses_tools = True
        model = "gpt-4.1" if dialect == "openai" else "large"
        provider = await make(preset=dialect)

        error = await failure(provider, ask(model))

        assert (type(error), error.code) == (Unsupported, "tools_unsupported")
        assert (await hear(provider, replace(ask(model), tools=()))).text == "What time is it?"


class TestOpenAI:
    @pytest.mark.parametrize("dialect", ["openai"])
    async def test_newer_models_are_asked_without_reasoning(self, make: Make, fake: FakeOpenAI) -> None:
        provider = await make(preset="openai")

        for _ in range(2):
            fake.call(*CALLS)
            heard = await hear(provider, ask("gpt-6-luna", reasoning_effort="high"))
            assert sum(isinstance(event, ToolCall) for event in heard.events) == 2

        efforts = [request.body["reasoning_effort"] for request in fake.requests]
        assert efforts == ["high", "none", "none"]

    @pytest.mark.parametrize("dialect", ["llama_cpp"])
    async def test_llama_cpp_is_asked_for_several_calls(self, make: Make, fake: FakeOpenAI) -> None:
        provider = await make(preset="llama_cpp")
        found: list[object] = []
        for request in (ask(), ask(parallel_tools=False), replace(ask(), tools=())):
            await hear(provider, request)
            found.append(fake.requests[-1].body.get("parallel_tool_calls"))

        assert found == [True, False, None]


class TestReplaying:
    @pytest.mark.parametrize("preset", ["deepseek", "moonshot", "zai"])
    async def test_reasoning_goes_back_where_it_is_demanded(self, make: Make, fake: FakeOpenAI, preset: str) -> None:
        provider = await make(preset=preset)
        fake.call(*CALLS, reasoning="Two zones.")
        heard = await hear(provider, ask())

        await hear(provider, later(ask(), heard))
        assert called(fake)["reasoning_content"] == "Two zones."

        await hear(provider, later(ask(), heard, is_own=False))
        assert called(fake)["reasoning_content"] == ""

    async def test_nowhere_else(self, make: Make, fake: FakeOpenAI) -> None:
        provider = await make(preset="groq")
        fake.call(*CALLS, reasoning="Two zones.")

        await hear(provider, later(ask(), await hear(provider, ask())))

        assert called(fake).keys() == {"role", "content", "tool_calls"}

    async def test_an_answer_without_calls_keeps_nothing(self, make: Make, fake: FakeOpenAI) -> None:
        fake.answer("Noon.", reasoning="One zone.")

        heard = await hear(await make(preset="deepseek"), ask())

        assert heard.finished.provider_data is None

    async def test_details_and_signatures_go_back_as_they_came(self, make: Make, fake: FakeOpenAI) -> None:
        """As OpenRouter and Google's endpoint send them."""
        details = [{"type": "reasoning.encrypted", "data": "abc"}]
        extra = {"extra_content": {"google": {"thought_signature": "sig"}}}
        function = {"name": "clock", "arguments": "{}"}
        calls = [{"index": n, "id": f"c{n}", "type": "function", "function": function} for n in (0, 1)]
        delta = {"reasoning_details": details, "tool_calls": [{**calls[0], **extra}, calls[1]]}
        fake.answer([ReasoningDelta("hm"), chunk(delta), TextDelta("")], finish="tool_calls")
        provider = await make(preset="openrouter")

        await hear(provider, later(ask(), await hear(provider, ask())))

        message = called(fake)
        assert message["reasoning_details"] == details
        assert [call.get("extra_content") for call in message["tool_calls"]] == [extra["extra_content"], None]
        assert [call["id"] for call in message["tool_calls"]] == ["c0", "c1"]


def chunk(delta: dict[str, Any]) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode()
