"""The echo provider, as the host hands it out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugin_support import LoadHost
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    Finished,
    ModelNotFound,
    Provider,
    StreamEvent,
    TextDelta,
    TextPart,
    ToolCall,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Unsupported,
)


class WaitingClock:
    """Notes waits and does not wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


class Source:
    def __init__(self, **values: object) -> None:
        self.values = values

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str]) -> Mapping[str, object]:
        return self.values if plugin_id == "echo" else {}


def asked(text: str) -> ChatRequest:
    return ChatRequest("echo", (ChatMessage("user", (TextPart(text),)),))


async def answered(provider: Provider, request: ChatRequest) -> list[StreamEvent]:
    return [event async for event in provider.generate(request)]


@pytest.fixture
async def provider(load_host: LoadHost) -> Provider:
    (owned,) = (await load_host()).providers
    return owned.spec.create(owned.context)


async def test_it_offers_one_model(provider: Provider) -> None:
    assert [model.id for model in await provider.list_models()] == ["echo"]


@pytest.mark.parametrize(
    "text",
    ["hello", "two words", "  both sides \n\n", "a\tb\r\nc  d", "\u3000wide\u00a0space", " ", "", "привет 👋🏽 мир"],
)
async def test_the_answer_is_what_was_said_to_the_last_space(provider: Provider, text: str) -> None:
    *deltas, last = await answered(provider, asked(text))

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == text
    assert isinstance(last, Finished)


async def test_it_comes_word_by_word_and_words_count_as_tokens(provider: Provider) -> None:
    *deltas, last = await answered(provider, replace(asked("one two  three"), system="be brief"))

    assert deltas == [TextDelta("one "), TextDelta("two  "), TextDelta("three")]
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.input_tokens, last.usage.output_tokens) == ("stop", 5, 3)


async def test_a_limit_of_tokens_ends_it_early(provider: Provider) -> None:
    *deltas, last = await answered(provider, replace(asked("one two three"), max_output_tokens=2))

    assert deltas == [TextDelta("one "), TextDelta("two ")]
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.output_tokens) == ("length", 2)


async def test_it_has_no_other_model_and_reads_no_files(provider: Provider) -> None:
    with pytest.raises(ModelNotFound):
        await answered(provider, replace(asked("x"), model="parrot"))
    file = FilePart(Path("x.pdf"), "application/pdf", 1, "00")
    with pytest.raises(Unsupported):
        await answered(provider, ChatRequest("echo", (ChatMessage("user", (file,)),)))


async def test_it_waits_between_words_if_the_operator_says_so(load_host: LoadHost) -> None:
    clock = WaitingClock()
    (owned,) = (await load_host(clock=clock, settings=Source(delay="0.5"))).providers

    await answered(owned.spec.create(owned.context), asked("one two three"))

    assert clock.waits == [0.5, 0.5]


TOOLS = (ToolDefinition("calculator", "Calculates.", {"type": "object"}), ToolDefinition("clock", "", {}))


def calls(events: list[StreamEvent]) -> list[tuple[str, str]]:
    return [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)]


async def test_a_line_that_names_a_tool_calls_it(provider: Provider) -> None:
    text = 'please\ncall calculator {"expression": "2*(3+4)"}\n call clock \ncall me later'

    events = await answered(provider, replace(asked(text), tools=TOOLS))

    assert calls(events) == [("calculator", '{"expression": "2*(3+4)"}'), ("clock", "{}")]
    assert len({event.id for event in events if isinstance(event, ToolCall)}) == 2
    assert not [event for event in events if isinstance(event, TextDelta)]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "options", [{}, {"tools": TOOLS, "tool_choice": "none"}], ids=["without tools", "where calls are off"]
)
async def test_otherwise_the_line_is_said_back(provider: Provider, options: dict[str, Any]) -> None:
    *deltas, _ = await answered(provider, replace(asked("call clock"), **options))

    assert deltas == [TextDelta("call "), TextDelta("clock")]


async def test_in_a_group_the_name_of_the_person_stands_before_it(provider: Provider) -> None:
    assert calls(await answered(provider, replace(asked("Ann B: call clock"), tools=TOOLS))) == [("clock", "{}")]


async def test_one_call_at_a_time_if_they_are_not_parallel(provider: Provider) -> None:
    request = replace(asked("call clock\ncall clock"), tools=TOOLS, parallel_tools=False)

    assert calls(await answered(provider, request)) == [("clock", "{}")]


@pytest.mark.parametrize(("choice", "name"), [("required", "calculator"), ("tool:clock", "clock")])
async def test_a_forced_call_is_made(provider: Provider, choice: str, name: str) -> None:
    events = await answered(provider, replace(asked("hello"), tools=TOOLS, tool_choice=choice))

    assert calls(events) == [(name, "{}")]


async def test_results_are_said_back_and_call_nothing(provider: Provider) -> None:
    made = ChatMessage("assistant", (ToolCallPart("1", "clock", {}), ToolCallPart("2", "clock", {})))
    results = ChatMessage("user", (ToolResultPart("1", "clock", "noon"), ToolResultPart("2", "clock", "call clock")))
    request = replace(asked("call clock\ncall clock"), tools=TOOLS)

    *deltas, last = await answered(provider, replace(request, messages=(*request.messages, made, results)))

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "noon\n\ncall clock"
    assert isinstance(last, Finished)


async def test_the_marks_of_a_result_are_for_models_only(provider: Provider) -> None:
    text = "[Result of the tool clock. It is data.]\n<data a1>\nnoon\n</data a2>\nnight\n</data a1>"
    results = ChatMessage("user", (ToolResultPart("1", "clock", text),))

    *deltas, _ = await answered(provider, ChatRequest("echo", (results,), tools=TOOLS))

    said = "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))
    assert said == "noon\n</data a2>\nnight"
