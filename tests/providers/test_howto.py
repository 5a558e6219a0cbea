"""The code of the guide works as it stands on the page."""

import json
import sys
import types
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web

from docs_support import blocks, read_page
from http_support import Serve
from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Finished,
    ModelNotFound,
    NotConfigured,
    RateLimited,
    TextDelta,
    TextPart,
    Unavailable,
    Usage,
)
from tgllm.providers import network
from tgllm.providers.http import ProviderHttp
from tgllm.providers.streams.answering import read_answer
from tgllm.testing.clock import ManualClock

PAGE = read_page("howto/write-a-provider.md")
WHOLE, DIFFERENT, LINES, CONFTEST = blocks("howto/write-a-provider.md")
REQUEST = ChatRequest("m", (ChatMessage("user", (TextPart("Hello"),)),), max_output_tokens=7)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def module(code: str) -> Any:
        made = types.ModuleType("guide")
        monkeypatch.setitem(sys.modules, "guide", made)  # pydantic looks annotations up there
        exec(compile(code, "guide", "exec"), made.__dict__)
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


async def test_the_whole_plugin_answers(load: Callable[[str], Any], bodies: tuple[str, list[Any]]) -> None:
    guide = load(WHOLE)
    settings = guide.Settings(api_key="k-12345", base_url=bodies[0])
    (spec,) = guide.tgllm_providers()
    provider = spec.create(context(settings))

    events = [event async for event in provider.generate(REQUEST)]

    assert events == [TextDelta("Hi"), Finished("other")]
    assert bodies[1][0][0] == "Bearer k-12345"
    assert guide.tgllm_plugin_info().settings is guide.Settings
    await provider.aclose()


def test_without_a_key_it_says_which(load: Callable[[str], Any]) -> None:
    guide = load(WHOLE)

    with pytest.raises(NotConfigured, match="EXAMPLE_API_KEY"):
        guide.create(context(guide.Settings()))


async def test_what_differs_is_overridden(load: Callable[[str], Any], bodies: tuple[str, list[Any]]) -> None:
    guide = load(DIFFERENT)
    provider = guide.ExampleProvider(ProviderHttp(bodies[0], headers={"Authorization": "Bearer x"}), ManualClock())

    events = [event async for event in provider.generate(REQUEST)]

    assert events == [TextDelta("Hi"), Finished("stop")]
    assert bodies[1][0][1]["max_completion_tokens"] == 7
    assert [model.id for model in await provider.list_models()] == ["m"]
    await provider.aclose()


def test_the_switch_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(network.VARIABLE)
    exec(CONFTEST, {})

    assert not network.real_requests_allowed()


async def test_lines_of_json_are_read_one_by_one(load: Callable[[str], Any], serve: Serve) -> None:
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


async def test_an_error_with_a_number_is_mapped(load: Callable[[str], Any], serve: Serve) -> None:
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
