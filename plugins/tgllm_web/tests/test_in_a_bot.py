"""The tools in a bot: a search, a page, the sources below the answer, and a page from nowhere."""

from typing import Any

import pytest
from aiohttp import web

import tgllm_web.plugin
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider, calling
from tgllm_web import services


@pytest.fixture
def started(site: Any, start_bot: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a bot whose model can search, and read pages of the site."""
    original = services.make_reader

    def with_names(ctx: Any, settings: Any, known: Any) -> Any:
        return original(ctx, settings, known, site.names)

    monkeypatch.setattr(services, "make_reader", with_names)

    async def found(request: web.Request) -> web.Response:
        return web.json_response({"results": [{"url": f"{site.url}/tea", "title": "About tea", "content": "Leaves."}]})

    site.pages["/search"] = found
    site.page("/tea", "Tea is made of leaves.", "text/plain")
    chosen = {
        "plugins__web__search": "searxng",
        "plugins__web__searxng_url": f"http://127.0.0.1:{site.port}",
        "plugins__web__allow": [site.name],
    }

    def start(ann: Any, provider: ScriptedProvider, **changes: Any) -> Any:
        plugin = GivenPlugin.of("web", tgllm_web.plugin)
        return start_bot(admins=[ann.id], plugins=[plugin], provider=provider, **chosen, **changes)

    return start


async def test_a_search_and_a_page_with_sources_below_the_answer(site: Any, emulator: Any, started: Any) -> None:
    ann, provider = emulator.add_user(first_name="Ann", language_code="en"), ScriptedProvider(tools=True)
    provider.answer(calling("web_search", query="tea"))
    provider.answer(calling("read_page", url=f"{site.url}/tea"))
    provider.answer("Tea is made of leaves.")
    async with started(ann, provider):
        said = await ann.say("What is tea?")
        answer = await emulator.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "made of leaves" in message.text, after=said
        )

    assert {"read_page", "web_search"} <= set(provider.offered)
    first, second = provider.results
    assert (first.is_error, second.is_error) == (False, False)
    assert f"{site.url}/tea" in first.text
    assert "Tea is made of leaves." in second.text
    assert "About tea" in answer.text
    assert [request.path for request in site.requests] == ["/search", "/tea"]


async def test_a_page_that_a_person_has_named(site: Any, emulator: Any, started: Any) -> None:
    ann, provider = emulator.add_user(first_name="Ann", language_code="en"), ScriptedProvider(tools=True)
    provider.answer(calling("read_page", url=f"{site.url}/tea"))
    provider.answer("It is about leaves.")
    async with started(ann, provider):
        said = await ann.say(f"What is on {site.url}/tea?")
        await emulator.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "about leaves" in message.text, after=said
        )

    assert "Tea is made of leaves." in provider.results[0].text


async def test_a_page_from_nowhere_is_opened_after_a_press(site: Any, emulator: Any, started: Any) -> None:
    ann, provider = emulator.add_user(first_name="Ann", language_code="en"), ScriptedProvider(tools=True)
    provider.answer(calling("read_page", url=f"{site.url}/tea"))
    provider.answer("It is about leaves.")
    async with started(ann, provider):
        said = await ann.say("What is tea?")
        question = await emulator.wait_for_message(
            ann.private_chat(), lambda message: "May I open this page" in message.text, after=said
        )
        # The bot shows a URL in a way that clients make no link of.
        assert question.text.endswith("tea")
        assert site.requests == []
        await ann.press(question, "✅ Open it")
        await emulator.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "about leaves" in message.text, after=said
        )

    assert [request.path for request in site.requests] == ["/tea"]
