"""Updates that Telegram hands over once more change nothing, and keep nothing from those that come with them."""

import asyncio

import pytest

from bot_support import Ask, Killed, LaterClock, Start, settled
from tgllm.db.tables import inbox
from tgllm.scheduler.jobs import RETENTION_JOB, jobs_of
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


def last_update(emu: Emulator) -> int:
    return emu.bot.queue.pending[-1].update_id


async def test_an_earlier_edit_that_comes_twice_does_not_stop_the_answer_to_a_later_one(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    said = await ann.say("one")
    await ann.edit(said, "two")
    earlier = last_update(emu)
    async with start() as bot:
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "two")
        provider.answer("Half", go_on, " and whole.")
        await ann.edit(said, "three")
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Half")
        emu.repeat_update(earlier)
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "Half and whole.")
        await settled(emu, bot)
    assert len(provider.requests) == 2


async def test_what_comes_along_with_something_known_is_acknowledged_and_edited_all_the_same(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("one")
        known = last_update(emu)
        await emu.wait_for(lambda: provider.requests)
        emu.repeat_update(known)
        waiting = await ann.say("two")
        await emu.wait_for(lambda: any(waiting.reactions.values()))
        emu.repeat_update(known)
        await ann.edit(waiting, "2")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "2")
        await emu.wait_for(lambda: not any(waiting.reactions.values()))
    assert provider.questions == ["one", "2"]


async def forget(bot: RunningBot) -> None:
    """What is done each hour."""
    (job,) = [job for job in jobs_of(bot.core) if job.id == RETENTION_JOB]
    await job.run()


@pytest.mark.parametrize("hours", [2, 24 * 8])
async def test_what_telegram_has_not_been_told_of_is_known_however_long_the_bot_was_down(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, killed: Killed, hours: float
) -> None:
    strangers = [eve, emu.add_user(first_name="Fay", language_code="en")]
    for stranger in strangers:
        await stranger.say("hello")
    first = emu.faults.add(Fault.hold("getUpdates", after=True))
    async with killed(start()):
        await first.reached.wait()
        unreachable = emu.faults.add(Fault.cut_before("getUpdates", times=None))
        first.release()
        for stranger in strangers:
            await emu.wait_for_message(stranger.private_chat())
    emu.faults.remove(unreachable)
    again = emu.faults.add(Fault.hold("getUpdates"))
    async with start(clock=LaterClock(hours)) as bot:
        await again.reached.wait()
        await forget(bot)
        again.release()
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
    told = [len([message for message in each.private_chat().messages if message.from_bot]) for each in strangers]
    assert told == [1, 1]


async def test_what_telegram_has_been_told_of_is_forgotten_in_time(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask
) -> None:
    async with start() as bot:
        await ask("/ping")
        await ask("/ping")
        await settled(emu, bot)
        before = await bot.core.database.read(inbox.counts)
        await bot.stop()
    async with start(clock=LaterClock(24 * 8)) as bot:
        await ask("/ping")
        await settled(emu, bot)
        await forget(bot)
        after = await bot.core.database.read(inbox.counts)
    assert (before, after) == ({"done": 2}, {"done": 1})
