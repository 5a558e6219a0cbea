"""The code of the guide works as it stands on the page."""

import json
import sys
import types
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from docs_support import blocks, read_page
from http_support import Serve
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FilePart,
    Finished,
    ModelInfo,
    ModelNotFound,
    NotConfigured,
    ProviderError,
    RateLimited,
    Refused,
    TextDelta,
    TextPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Unavailable,
    Unsupported,
    Usage,
)
from tgllm.providers import network
from tgllm.providers.http import ProviderHttp
from tgllm.providers.streams.answering import read_answer
from tgllm.testing.bot import running_bot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import GivenPlugin

PAGE = read_page("howto/write-a-provider.md")
WHOLE, DIFFERENT, TOOLS, HOOKS, CLIENT, LINES, CONFTEST = blocks("howto/write-a-provider.md")
Load = Callable[..., Any]
"""Makes a module of code on the page."""
REQUEST = ChatRequest("m", (ChatMessage("user", (TextPart("Hello"),)),), max_output_tokens=7)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    def module(code: str, name: str = "guide") -> Any:
        made = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, made)  # pydantic looks annotations up there
        exec(compile(code, name, "exec"), made.__dict__)
        return made

    return module


@pytest.fixture
async def bodies(serve: Serve) -> tuple[str, list[Any]]:
    seen: list[Any] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/models":
            return web.json_response({"data": [{"id": "m"}, {"id": "e", "type": "embedding"}]})
        seen.append((request.headers["Authorization"], await request.json()))
        return web.Response(text='data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"ended"}]}\n\n')

    return await serve(handler), seen


def context(settings: object) -> Any:
    return types.SimpleNamespace(settings=settings, clock=ManualClock())


def test_a_whole_plugin_is_about_thirty_lines() -> None:
    assert len([line for line in WHOLE.splitlines() if line.strip()]) <= 32


async def test_the_whole_plugin_answers(load: Load, bodies: tuple[str, list[Any]]) -> None:
    guide = load(WHOLE)
    settings = guide.Settings(api_key="k-12345", base_url=bodies[0])
    (spec,) = guide.tgllm_providers()
    provider = spec.create(context(settings))

    events = [event async for event in provider.generate(REQUEST)]

    assert events == [TextDelta("Hi"), Finished("other")]
    assert bodies[1][0][0] == "Bearer k-12345"
    assert guide.tgllm_plugin_info().settings is guide.Settings
    await provider.aclose()


def test_without_a_key_it_says_which(load: Load) -> None:
    guide = load(WHOLE)

    with pytest.raises(NotConfigured, match="EXAMPLE_API_KEY"):
        guide.create(context(guide.Settings()))


async def test_what_differs_is_overridden(load: Load, bodies: tuple[str, list[Any]]) -> None:
    guide = load(DIFFERENT)
    provider = guide.ExampleProvider(ProviderHttp(bodies[0], headers={"Authorization": "Bearer x"}), ManualClock())

    events = [event async for event in provider.generate(REQUEST)]

    assert events == [TextDelta("Hi"), Finished("stop")]
    assert bodies[1][0][1]["max_completion_tokens"] == 7
    assert [model.id for model in await provider.list_models()] == ["m"]
    await provider.aclose()


async def test_tools_are_sent_in_the_words_of_the_service(load: Load, bodies: tuple[str, list[Any]]) -> None:
    provider = load(TOOLS).CallingProvider(
        ProviderHttp(bodies[0], headers={"Authorization": "Bearer x"}), ManualClock()
    )
    called = ChatMessage("assistant", (ToolCallPart("call_1", "clock", {}),))
    answered = ChatMessage("user", (ToolResultPart("call_1", "clock", "noon"),))
    tools = (ToolDefinition("clock", "Tells the time.", {}),)
    request = replace(REQUEST, messages=(*REQUEST.messages, called, answered), tools=tools, tool_choice="required")

    events = [event async for event in provider.generate(request)]
    await provider.aclose()

    body = bodies[1][0][1]
    (call,) = body["messages"][1]["tool_calls"]
    assert events[0] == TextDelta("Hi")
    assert body["tool_choice"] == "any"
    assert body["messages"][2]["tool_call_id"] == call["id"]
    assert len(call["id"]) == 12


def test_the_switch_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(network.VARIABLE)
    exec(CONFTEST, {})

    assert not network.real_requests_allowed()


class Voices:
    """The service of the page with an API of its own."""

    def __init__(self) -> None:
        self.questions: list[Any] = []
        self.events: list[Any] = [
            {"type": "text", "text": "Hel"},
            {"type": "later versions send more"},
            {"type": "text", "text": "lo"},
            {"type": "end", "reason": "complete", "usage": {"in": 3, "out": 2}},
        ]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("X-Api-Key") != "k-12345":
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        if request.path == "/models":
            return web.json_response({"models": [{"name": "tenor", "window": 9000}]})
        self.questions.append(await request.json())
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in self.events)
        return web.Response(text=text, content_type="text/event-stream")


@pytest.fixture
def own(load: Load) -> tuple[Any, Any]:
    """The hooks and the client of the page with an API of its own."""
    return load(HOOKS, "tgllm_voices"), load(CLIENT, "tgllm_voices_client")


async def test_both_providers_answer_in_a_bot(
    emu: Emulator, tmp_path: Path, load: Load, own: tuple[Any, Any], serve: Serve, bodies: tuple[str, list[Any]]
) -> None:
    voices, ann = Voices(), emu.add_user(first_name="Ann")
    plugins = [GivenPlugin.of("example", load(WHOLE)), GivenPlugin.of("voices", own[0])]
    settings = {"example": bodies[0], "voices": await serve(voices.answer)}
    given = {f"plugins__{name}__base_url": url for name, url in settings.items()}
    keys = {"EXAMPLE_API_KEY": "k-12345", "VOICES_API_KEY": "k-12345"}
    async with running_bot(
        emu, tmp_path, admins=[ann.id], plugins=plugins, environ=keys, default_model="voices/tenor", **given
    ):
        answer = await emu.wait_for_answer(await ann.say("Sing"))
        await emu.wait_for(lambda: answer.text == "Hello")
        await emu.wait_for_answer(await ann.say("/model example/m"))
        await emu.wait_for_answer(await ann.say("Speak"), lambda message: message.text.startswith("Hi"))

    assert voices.questions[0]["turns"][-1] == {"from": "person", "text": "Sing"}
    assert bodies[1][0][1]["messages"][-1]["content"] == "Speak"


async def test_a_service_of_its_own_is_read_to_its_end(own: tuple[Any, Any], serve: Serve) -> None:
    voices = Voices()
    provider = own[1].VoicesProvider(await serve(voices.answer), "k-12345", ManualClock())

    assert [event async for event in provider.generate(REQUEST)] == [
        TextDelta("Hel"),
        TextDelta("lo"),
        Finished("stop", Usage(3, 2)),
    ]
    assert voices.questions[0] == {"model": "m", "turns": [{"from": "person", "text": "Hello"}], "max_tokens": 7}
    assert await provider.list_models() == [ModelInfo("tenor", context_window=9000)]
    voices.events = [*voices.events[:1], {"error": {"message": "overloaded", "status": 503}}]
    with pytest.raises(Unavailable, match="overloaded"):
        _ = [event async for event in provider.generate(REQUEST)]
    voices.events.pop()
    with pytest.raises(ProviderError):
        _ = [event async for event in provider.generate(REQUEST)]
    voices.events = [{"type": "end", "reason": "blocked"}]
    with pytest.raises(Refused):
        _ = [event async for event in provider.generate(REQUEST)]
    picture = ChatMessage("user", (FilePart(Path("a.png"), "image/png", 1, "0"),))
    with pytest.raises(Unsupported, match="image/png"):
        _ = [event async for event in provider.generate(ChatRequest("m", (picture,)))]
    await provider.aclose()


async def test_lines_of_json_are_read_one_by_one(load: Load, serve: Serve) -> None:
    guide = load(LINES)
    lines: list[Any] = [{"say": "Good "}, {"say": "morning"}, {"end": "limit", "in": 3, "out": 2}]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body="".join(f"{json.dumps(line)}\n" for line in lines).encode())

    async def ask() -> tuple[list[Any], Any]:
        http = ProviderHttp(await serve(handler), explain=guide.explain_fault)
        reader = guide.LineReader(http)
        try:
            async with aclosing(read_answer(http, "chat", b"{}", reader)) as events:
                return [event async for event in events], reader.end()
        finally:
            await http.aclose()

    assert await ask() == ([TextDelta("Good "), TextDelta("morning")], Finished("length", Usage(3, 2)))
    lines.pop()
    with pytest.raises(Unavailable):
        await ask()
    lines.append({"fault": {"no": "E2", "words": "no such bird"}})
    with pytest.raises(ModelNotFound, match="no such bird"):
        await ask()


async def test_an_error_with_a_number_is_mapped(load: Load, serve: Serve) -> None:
    guide = load(LINES)
    answers = {"/slow": (420, {"no": "E4", "words": "slower", "wait": 5}), "/odd": (503, {"no": "E99", "words": "?"})}

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        status, fault = answers[request.path]
        return web.json_response({"fault": fault}, status=status)

    http = ProviderHttp(await serve(handler), explain=guide.explain_fault)
    try:
        with pytest.raises(RateLimited, match="slower") as caught:
            await http.get_json("slow")
        with pytest.raises(Unavailable):
            await http.get_json("odd")
    finally:
        await http.aclose()
    assert caught.value.retry_after == 5
