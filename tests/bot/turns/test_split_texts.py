"""A long text that the client has split is one question."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot_support import Ask, Start, settled
from tgllm.api.clock import Clock
from tgllm.bot.turns.merging import wait_for
from tgllm.db.tables import inbox, messages
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

LIMIT = 4096


async def test_the_parts_of_a_long_text_are_one_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: Clock
) -> None:
    provider.answer("I see.")
    text = "x" * LIMIT + "y" * LIMIT + "the end"
    async with start(turns__context_tokens=20000, clock=patient_clock) as bot:
        parts = await ann.paste(text)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "I see.")
        states = await bot.core.database.read(inbox.counts)
        shown = await bot.core.database.read(lambda conn: messages.find_by_telegram(conn, ann.id, parts[1].id))
    assert provider.questions == [text]
    assert states == {"done": 1, "merged": 2}
    assert shown is not None
    assert shown.telegram_message_ids == tuple(part.id for part in parts)


async def test_what_was_gathered_survives_a_crash(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Callable[..., Any]
) -> None:
    provider.answer(asyncio.Event())
    provider.answer("I see.")
    text = "x" * LIMIT + "the end"
    await ann.paste(text)
    async with killed(start(turns__context_tokens=20000)):
        await emu.wait_for(lambda: provider.requests)
    async with start(turns__context_tokens=20000):
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "I see.")
    assert provider.questions == [text] * 2


async def test_a_character_of_two_units_is_not_split(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: Clock
) -> None:
    provider.answer("I see.")
    text = "x" * (LIMIT - 1) + "😀 and more"
    async with start(turns__context_tokens=20000, clock=patient_clock):
        assert len(await ann.paste(text)) == 2
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "I see.")
    assert provider.questions == [text]


async def test_a_part_that_comes_a_little_later_still_belongs_to_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: Clock
) -> None:
    provider.answer("I see.")
    async with start(turns__context_tokens=20000, clock=patient_clock):
        await ann.say("x" * LIMIT)
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await ann.say("the end")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "I see.")
    assert provider.questions == ["x" * LIMIT + "the end"]


async def test_a_full_message_alone_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("I see.")
    async with start(turns__context_tokens=20000):
        await ann.say("x" * LIMIT)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "I see.")
    assert provider.questions == ["x" * LIMIT]


async def test_commands_and_replies_are_no_parts(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start(turns__context_tokens=20000):
        first = await ask("one")
        for answer in ("long", "command", "reply"):
            provider.answer(answer)
        await ann.say("x" * LIMIT)
        assert (await ask("/ping")).text in {"long", "Bot ready"}
        await ann.say("y" * LIMIT)
        await ann.say("what?", reply_to=first)
        await emu.wait_for(lambda: len(provider.requests) == 4)
    assert [len(request.messages[-1].text) >= LIMIT for request in provider.requests] == [False, True, True, False]


async def test_editing_a_part_asks_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, patient_clock: Clock
) -> None:
    provider.answer("I see.")
    async with start(turns__context_tokens=20000, clock=patient_clock) as bot:
        parts = await ann.paste("x" * LIMIT + "the end")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "I see.")
        await ann.edit(parts[1], "another end")
        await settled(emu, bot)
    assert len(provider.requests) == 1


async def test_a_stop_waits_for_a_text_that_waits_for_its_next_part(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.runtime.DRAIN_SECONDS", 0.01)
    waits = asyncio.Event()

    async def noted(*args: Any) -> Any:
        waits.set()
        return await wait_for(*args)

    monkeypatch.setattr("tgllm.bot.turns.split_texts.wait_for", noted)
    provider.answer("I see.")
    async with start(turns__context_tokens=20000, turns__stop_timeout=30) as bot:
        await ann.say("x" * LIMIT)
        await waits.wait()
        await bot.stop()
        assert await bot.core.database.read(inbox.counts) == {"done": 1}
    assert len(provider.requests) == 1
