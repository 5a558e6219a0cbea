"""Fallbacks over HTTP: the service of the chat's model fails, and another one answers in the chat."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

import tgllm_dipseek.plugin
import tgllm_mistral.plugin
from bot_support import Killed, Start
from tgllm.api import Usage
from tgllm.db.tables import requests, usage
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeDipseek, FakeError, FakeMistral
from tgllm.testing.scripted import GivenPlugin

ASKED, OTHER = "mistral/mistral-medium-3-5", "dipseek/deepseek-flash"
NAMED = f"{OTHER} answered in place of {ASKED}."
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""One pixel, as PNG."""
DOWN = FakeError(503, {"message": "Service unavailable"}, {"Retry-After": "60"})


@pytest.fixture
async def mistral() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as fake:
        yield fake


@pytest.fixture
async def dipseek() -> AsyncIterator[FakeDipseek]:
    async with FakeDipseek() as fake:
        yield fake


@pytest.fixture
def settings(mistral: FakeMistral, dipseek: FakeDipseek) -> dict[str, Any]:
    plugins = [GivenPlugin.of("mistral", tgllm_mistral.plugin), GivenPlugin.of("dipseek", tgllm_dipseek.plugin)]
    environ = {
        "MISTRAL_API_KEY": mistral.key,
        "TGLLM_PLUGINS__MISTRAL__BASE_URL": mistral.base_url,
        "DEEPSEEK_API_KEY": dipseek.key,
        "TGLLM_PLUGINS__DIPSEEK__BASE_URL": dipseek.base_url,
    }
    prices = {ASKED: {"input": 9.0, "output": 9.0}, OTHER: {"input": 1.0, "output": 2.0}}
    return {
        "provider": None,
        "plugins": plugins,
        "environ": environ,
        "default_model": ASKED,
        "fallbacks": OTHER,
        "prices": prices,
    }


async def calls(bot: RunningBot) -> list[tuple[int, str, str, str | None]]:
    stored = await bot.core.database.read(lambda conn: requests.recent(conn, 9))
    return [(each.attempt, each.provider, each.status, each.error_code) for each in reversed(stored)]


async def used(bot: RunningBot, person: EmulatedUser) -> dict[str, tuple[int, int]]:
    rows = await bot.core.database.read(lambda conn: usage.by_model(conn, usage.EVER, person.id))
    return {row.provider: (row.requests, row.cost_micros) for row in rows}


def chats(fake: FakeMistral | FakeDipseek) -> int:
    """How many answers were asked for."""
    return sum(request.path.endswith("/chat/completions") for request in fake.requests)


async def test_another_service_answers_and_is_named_and_the_dead_one_is_left_alone(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    settings: dict[str, Any],
    mistral: FakeMistral,
    dipseek: FakeDipseek,
) -> None:
    mistral.fault("/chat/completions", DOWN, times=None)
    dipseek.answer("It is four.", usage=Usage(100, 20, 0, 0))
    async with start(**settings) as bot:
        first = await emu.wait_for_answer(await ann.say("What is 2 + 2?"))
        dipseek.answer("Yes.", usage=Usage(100, 20, 0, 0))
        second = await emu.wait_for_answer(await ann.say("Really?"))
        stored, spent = await calls(bot), await used(bot, ann)

    assert (first.text, second.text) == (f"It is four.\n\n{NAMED}", f"Yes.\n\n{NAMED}")
    assert (chats(mistral), chats(dipseek)) == (1, 2)
    assert stored == [
        (1, "mistral", "failed", "unavailable"),
        (2, "dipseek", "ok", None),
        (1, "dipseek", "ok", None),
    ]
    assert spent == {"dipseek": (2, 2 * (100 + 40))}


async def test_a_crash_counts_the_fallback_once_and_the_question_is_answered(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    killed: Killed,
    settings: dict[str, Any],
    mistral: FakeMistral,
    dipseek: FakeDipseek,
) -> None:
    mistral.fault("/chat/completions", FakeError(401, {"message": "Unauthorized"}), times=None)
    dipseek.answer(["Half", asyncio.Event()])
    async with killed(start(**settings)):
        said = await ann.say("What is 2 + 2?")
        await dipseek.wait_for(lambda: chats(dipseek))
    dipseek.answer("It is four.", usage=Usage(100, 20, 0, 0))
    async with start(**settings) as bot:
        answer = await emu.wait_for_message(said.chat, lambda message: "It is four." in message.text, after=said)
        stored, spent = await calls(bot), await used(bot, ann)

    assert answer.text == f"It is four.\n\n{NAMED}"
    assert stored == [
        (1, "mistral", "failed", "auth_failed"),
        (2, "dipseek", "interrupted", "interrupted"),
        (3, "dipseek", "ok", None),
    ]
    # The model that has failed before the crash is not asked again.
    assert (chats(mistral), chats(dipseek)) == (1, 2)
    requests_counted, micros = spent["dipseek"]
    assert (spent.keys(), requests_counted) == ({"dipseek"}, 2)
    assert 140 < micros < 240


async def test_a_fallback_that_does_not_see_a_picture_is_left_out_and_one_that_does_answers(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    settings: dict[str, Any],
    mistral: FakeMistral,
    dipseek: FakeDipseek,
) -> None:
    dipseek.add_model("deepseek-blind", context_window=64_000, vision=False)
    mistral.fault("/chat/completions", DOWN, times=None)
    dipseek.answer("A dot.", usage=Usage(100, 20, 0, 0))
    async with start(**settings | {"fallbacks": f"dipseek/deepseek-blind, {OTHER}"}) as bot:
        await bot.core.models.pull_and_sync_models()
        said = await ann.upload(PICTURE, kind="photo", caption="What is it?")
        answer = await emu.wait_for_answer(said)

    assert answer.text == f"A dot.\n\n{NAMED}"
    asked: Any = [request.body for request in dipseek.requests if request.path.endswith("/chat/completions")]
    assert [body["model"] for body in asked] == ["deepseek-flash"]


async def test_a_picture_without_words_goes_to_a_fallback_that_sees_it(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    settings: dict[str, Any],
    dipseek: FakeDipseek,
) -> None:
    blind = "dipseek/deepseek-blind"
    dipseek.add_model("deepseek-blind", context_window=64_000, vision=False)
    dipseek.answer("A dot.", usage=Usage(100, 20, 0, 0))
    async with start(**settings | {"default_model": blind}) as bot:
        await bot.core.models.pull_and_sync_models()
        answer = await emu.wait_for_answer(await ann.upload(PICTURE, kind="photo"))
        stored = await calls(bot)

    assert answer.text == f"A dot.\n\n{OTHER} answered in place of {blind}."
    # The chosen model was not asked.
    assert [call[:3] for call in stored] == [(1, "dipseek", "ok")]
    assert chats(dipseek) == 1
