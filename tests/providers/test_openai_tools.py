"""Tools in OpenAI's format: what the toolkit sends, and what it reads."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    Finished,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Unsupported,
    Waiting,
)
from tgllm.providers.attachments import moved_to_questions
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import OpenAIChatClient
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import FakeOpenAI, Signal

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"zone": {"type": "string"}}}
CLOCK = ToolDefinition("clock", "Tells the time.", SCHEMA)
CALLS = (ToolCallPart("call_1", "clock", {"zone": "Łódź"}), ToolCallPart("call/2", "no such tool", {}))
RESULTS = (ToolResultPart("call_1", "clock", "noon"), ToolResultPart("call/2", "no such tool", "gone", is_error=True))
ROUND = (ChatMessage("assistant", (TextPart("I'll look."), *CALLS)), ChatMessage("user", RESULTS))


class Calling(OpenAIChatClient):
    supports_tools = True


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI("plain") as server:
        yield server


@pytest.fixture
async def provider(fake: FakeOpenAI) -> AsyncIterator[OpenAIChatClient]:
    client = make(Calling, fake)
    yield client
    await client.aclose()


def make(kind: type[OpenAIChatClient], fake: FakeOpenAI) -> OpenAIChatClient:
    return kind(ProviderHttp(fake.base_url, headers={"Authorization": f"Bearer {fake.key}"}), HurriedClock())


def asked(*messages: ChatMessage, **fields: Any) -> ChatRequest:
    request = question("large", "What time is it?", tools=(CLOCK,), **fields)
    return replace(request, messages=(*request.messages, *messages))


def body(fake: FakeOpenAI) -> dict[str, Any]:
    return fake.requests[-1].body


def picture(folder: Path) -> FilePart:
    path = folder / "a.png"
    path.write_bytes(b"\x89PNG")
    return FilePart(path, "image/png", 4, hashlib.sha256(b"\x89PNG").hexdigest())


class TestRequests:
    async def test_what_is_sent(self, provider: OpenAIChatClient, fake: FakeOpenAI) -> None:
        await hear(provider, asked(*ROUND, tool_choice="required", parallel_tools=False))

        called, first, second = body(fake)["messages"][1:]
        foreign = called["tool_calls"][1]["id"]
        assert called == {
            "role": "assistant",
            "content": "I'll look.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": '{"zone":"Łódź"}'}},
                {"id": foreign, "type": "function", "function": {"name": "no_such_tool", "arguments": "{}"}},
            ],
        }
        assert first == {"role": "tool", "tool_call_id": "call_1", "content": "noon"}
        assert second == {"role": "tool", "tool_call_id": foreign, "content": "Error: gone"}
        function = {"name": "clock", "description": "Tells the time.", "parameters": SCHEMA}
        assert body(fake)["tools"] == [{"type": "function", "function": function}]
        assert body(fake)["tool_choice"] == "required"
        assert body(fake)["parallel_tool_calls"] is False

    async def test_calls_without_a_text_have_no_content(self, provider: OpenAIChatClient, fake: FakeOpenAI) -> None:
        await hear(provider, asked(ChatMessage("assistant", CALLS), ChatMessage("user", RESULTS)))

        assert body(fake)["messages"][1]["content"] is None

    async def test_rounds_are_encoded_once(
        self, provider: OpenAIChatClient, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encoded: list[ToolResultPart] = []
        encode = OpenAIChatClient.result

        def result(self: OpenAIChatClient, result: ToolResultPart) -> Any:
            encoded.append(result)
            return encode(self, result)

        monkeypatch.setattr(OpenAIChatClient, "result", result)
        more = ChatMessage("assistant", (TextPart("Noon."),)), ChatMessage("user", (TextPart("and now?"),))

        await hear(provider, asked(*ROUND))
        first = body(fake)["messages"]
        await hear(provider, asked(*ROUND, *more))

        assert encoded == [*RESULTS]
        assert body(fake)["messages"][1:4] == first[1:]

    async def test_pictures_and_words_come_after_results(
        self, provider: OpenAIChatClient, fake: FakeOpenAI, tmp_path: Path
    ) -> None:
        called = ChatMessage("assistant", (*CALLS[:1], picture(tmp_path)))
        answered = ChatMessage("user", (TextPart("See:"), *RESULTS[:1], TextPart("Be brief.")))

        await hear(provider, asked(called, answered))

        roles = [message["role"] for message in body(fake)["messages"]]
        last = body(fake)["messages"][-1]["content"]
        assert roles == ["user", "assistant", "tool", "user"]
        assert [part["type"] for part in last] == ["image_url", "text", "text"]
        assert body(fake)["messages"][1]["tool_calls"][0]["id"] == "call_1"

    def test_calls_stay_where_a_picture_is_moved(self, tmp_path: Path) -> None:
        called = ChatMessage("assistant", (picture(tmp_path), *CALLS))

        assert next(moved_to_questions([called])).parts == CALLS

    async def test_without_supports_tools_nothing_is_dropped(self, fake: FakeOpenAI) -> None:
        plain = make(OpenAIChatClient, fake)
        errors = [await failure(plain, request) for request in (asked(), replace(asked(*ROUND), tools=()))]
        await plain.aclose()

        assert [type(error) for error in errors] == [Unsupported, Unsupported]
        assert [error.code for error in errors] == ["tools_unsupported"] * 2
        assert fake.requests == []


class TestAnswers:
    async def test_deltas_come_before_the_calls(self, provider: OpenAIChatClient, fake: FakeOpenAI) -> None:
        fake.call(ToolCall("a", "clock", '{"zone": "UTC"}'), text="One moment.")

        heard = await hear(provider, asked())

        kinds = [type(event) for event in heard.events]
        deltas = [event for event in heard.events if isinstance(event, ToolCallDelta)]
        assert kinds[-2:] == [ToolCall, Finished]
        assert {delta.name for delta in deltas} == {"clock"}
        assert "".join(delta.arguments for delta in deltas) == '{"zone": "UTC"}'

    async def test_a_call_that_breaks_off_is_asked_for_again(
        self, provider: OpenAIChatClient, fake: FakeOpenAI
    ) -> None:
        """Nothing has been shown to the person yet."""
        call = ToolCall("a", "clock", "{}")
        fake.answer([call, Signal.CUT])
        fake.call(call)

        heard = await hear(provider, asked())

        assert [event for event in heard.events if isinstance(event, ToolCall)] == [call]
        assert any(isinstance(event, Waiting) and event.reason == "retry" for event in heard.events)

    async def test_an_answer_with_calls_alone_is_no_empty_one(
        self, provider: OpenAIChatClient, fake: FakeOpenAI
    ) -> None:
        fake.call(ToolCall("a", "clock", ""))

        heard = await hear(provider, asked())

        assert len(fake.requests) == 1
        assert heard.finished.reason == "stop"
