"""The code of the guide works as it stands on the page."""

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from docs_support import blocks, read_page
from http_support import Serve
from tgllm.api import ChatMessage, ChatRequest, Finished, NotConfigured, TextDelta, TextPart
from tgllm.providers import network
from tgllm.providers.http import ProviderHttp
from tgllm.testing.clock import ManualClock

PAGE = read_page("howto/write-a-provider.md")
WHOLE, DIFFERENT, CONFTEST = blocks("howto/write-a-provider.md")
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
