"""Summaries of what falls out of the context: made after the answer, told to the model later, in nobody's way."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot_support import Ask, Menus, Start
from tgllm.api import ChatRequest, ContextTooLong, Finished, StreamEvent, TextDelta, Unavailable, Usage
from tgllm.db.tables import requests, usage
from tgllm.providers.tokens import estimate_request
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

MARK = "[Summary of the conversation so far"


class SummarisingProvider(ScriptedProvider):
    """Numbers the summaries that it is asked for, and keeps their requests apart."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ChatRequest] = []
        self.error: Exception | None = None
        self.go_on: asyncio.Event | None = None

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        if not request.messages[-1].text.startswith("Below is the beginning"):
            async for event in super().generate(request):
                yield event
            return
        self.asked.append(request)
        number = len(self.asked)
        if self.go_on is not None:
            await self.go_on.wait()
        if self.error is not None:
            raise self.error
        yield TextDelta(f"Summary {number}.")
        yield Finished(usage=Usage(estimate_request(request), 10))


@pytest.fixture
def provider() -> SummarisingProvider:
    return SummarisingProvider()


def question(name: str) -> str:
    """Some fifty tokens."""
    return name + " word" * 30


async def talk(ask: Ask, bot: RunningBot, *names: str) -> None:
    for name in names:
        await ask(question(name))
        await settled(bot)


async def settled(bot: RunningBot) -> None:
    """Wait for the summary that may be under way."""
    await bot.core.running.wait_idle()
    await bot.core.conversations.wait_idle()


async def test_what_falls_out_is_summarised_and_told_from_then_on(
    ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    settings = {"turns__context_tokens": 500, "turns__summary": "on", "system_prompt": "Be brief."}
    async with start(**settings) as bot:
        await talk(ask, bot, "one", "two", "three", "four", "five")
        assert not provider.asked
        await talk(ask, bot, "six")
        (asked,) = provider.asked
        assert (asked.model, asked.system, len(asked.messages)) == ("model", None, 1)
        assert "User: one word" in asked.messages[0].text
        assert "Assistant: two word" in asked.messages[0].text
        await bot.stop()
    async with start(**settings) as bot:
        await talk(ask, bot, "seven")
        told = provider.requests[-1]
        assert told.messages[0].text.startswith(MARK)
        assert "Summary 1." in told.messages[0].text
        assert {message.role for message in told.messages[::2]} == {"user"}
        assert {message.role for message in told.messages[1::2]} == {"assistant"}
        assert not any("one word" in message.text for message in told.messages)
        assert told.system == "Be brief."
        # It is extended when more falls out.
        await talk(ask, bot, "eight", "nine", "ten", "eleven")
        assert len(provider.asked) == 2
        assert "Summary 1." in provider.asked[1].messages[0].text
        assert "User: one word" not in provider.asked[1].messages[0].text
        await talk(ask, bot, "twelve")
        assert "Summary 2." in provider.requests[-1].messages[0].text


async def test_it_is_counted_for_whoever_asked(
    ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        await talk(ask, bot, "one", "two", "three", "four")
        calls = await bot.core.database.read(lambda conn: requests.recent(conn, 100, ann.id))
        total = await bot.core.database.read(lambda conn: usage.total(conn, usage.EVER, ann.id))
    (made,) = [call for call in calls if call.turn_id.endswith(":summary")]
    counted = estimate_request(provider.asked[0])
    assert (made.status, made.input_tokens, made.output_tokens, made.message_id) == ("ok", counted, 10, None)
    assert total.requests == 5


async def test_nothing_is_summarised_where_that_is_off(
    menus: Menus, ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    async with start(turns__context_tokens=300) as bot:
        await talk(ask, bot, "one", "two", "three", "four")
        assert not provider.asked
        menu = await menus.ask(ann, "/settings")
        assert "Summary: default" in menu.text.splitlines()
        await menus.press(ann, menu, "Summary")
        await menus.press(ann, menu, "on")
        assert "Summary: on" in menu.text.splitlines()
        await talk(ask, bot, "five")
        assert len(provider.asked) == 1
        await menus.press(ann, menu, "Summary")
        await menus.press(ann, menu, "off")
        await talk(ask, bot, "six", "seven", "eight", "nine")
    assert len(provider.asked) == 1
    assert not any(message.text.startswith(MARK) for message in provider.requests[-1].messages)


async def test_a_summary_that_fails_is_not_tried_again_at_once(
    start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    provider.error = Unavailable("down")
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        await talk(ask, bot, "one", "two", "three", "four", "five", "six")
    assert len(provider.asked) == 1


async def test_a_summary_that_fails_or_takes_long_is_in_nobodys_way(
    emu: Emulator, start: Start, ask: Ask, provider: SummarisingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.services.turns.summariser.PAUSE_SECONDS", 0.0)
    provider.error = Unavailable("down")
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        await talk(ask, bot, "one", "two", "three", "four")
        assert len(provider.asked) == 1
        provider.error, provider.go_on = None, asyncio.Event()
        for name in ("five", "six"):
            assert (await ask(question(name))).text.startswith(name)
        await emu.wait_for(lambda: len(provider.asked) == 2)
        assert not any(message.text.startswith(MARK) for message in provider.requests[-1].messages)
        # The stop of the bot does not wait for it either.
        await bot.stop()
    assert len(provider.asked) == 2


async def test_another_branch_does_not_use_it(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    chat = ann.private_chat()
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        first = await ask(question("one"))
        await talk(ask, bot, "two", "three", "four")
        await talk(ask, bot, "five")
        assert provider.requests[-1].messages[0].text.startswith(MARK)
        forked = await ann.say("/fork six", reply_to=first)
        await emu.wait_for_message(chat, lambda message: message.text == "six", after=forked)
        assert [message.text[:3] for message in provider.requests[-1].messages] == ["one", "one", "six"]
        await settled(bot)
        await ask("/clear")
        await ask("seven")
    assert provider.told == ["seven"]


async def test_what_is_too_long_for_the_model_is_asked_again_with_it(
    ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        await talk(ask, bot, "one", "two", "three", "four")
        provider.answer(ContextTooLong("too many tokens"))
        await talk(ask, bot, "five")
    refused, asked = provider.requests[-2:]
    assert len(asked.messages) < len(refused.messages)
    assert asked.messages[0].text.startswith(MARK)
    assert asked.messages[-1].text.endswith(question("five"))


async def test_an_edit_after_it_goes_on_with_it(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    chat = ann.private_chat()
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        await talk(ask, bot, "one", "two", "three", "four", "five")
        said = next(message for message in chat.messages if message.text.startswith("five") and not message.from_bot)
        await ann.edit(said, "five, but otherwise")
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "five, but otherwise")
    assert provider.requests[-1].messages[0].text.startswith(MARK)


async def test_forgetting_a_person_forgets_it_even_when_it_is_being_made(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: SummarisingProvider
) -> None:
    provider.go_on = asyncio.Event()
    async with start(turns__context_tokens=300, turns__summary="on") as bot:
        for name in ("one", "two", "three", "four"):
            await ask(question(name))
        await emu.wait_for(lambda: provider.asked)
        asked = await ask("/forget")
        await ann.press(asked, "Delete my data")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("Deleted."))
        provider.go_on.set()
        await settled(bot)
        calls = await bot.core.database.read(lambda conn: requests.recent(conn, 100, ann.id))
        left = await bot.core.database.read(lambda conn: conn.execute("SELECT count(*) FROM summaries").fetchone()[0])
    assert (calls, left) == ([], 0)
