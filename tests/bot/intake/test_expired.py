"""The bot was off for so long that nobody waits for its answers any more: what people find then."""

import asyncio

import pytest

from bot_support import Killed, LaterClock, Start, pause
from tgllm.bot.updates.acknowledgements import WAITING
from tgllm.db.tables import inbox, outbox
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

EXPIRED = "I was offline for more than a day and have not answered this. If you still want an answer, ask again."


@pytest.mark.parametrize("place", ["group", "topic"])
async def test_the_message_that_was_begun_says_that_there_will_be_no_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Killed, place: str
) -> None:
    chat = emu.add_group(title="Team", members=[ann], is_forum=place == "topic")
    topic = emu.add_topic(chat, "One") if place == "topic" else None
    provider.answer("Half", asyncio.Event())
    async with killed(start()):
        await ann.say("@demo_bot go", chat=chat, topic=topic)
        begun = await emu.wait_for_message(chat, lambda message: message.text == "Half")
        waiting = await ann.say("@demo_bot on", chat=chat, topic=topic)
        await emu.wait_for(lambda: WAITING in str(waiting.reactions))
    for _ in range(2):
        async with start(clock=LaterClock(25)) as bot:
            await emu.wait_for(
                lambda: begun.text == EXPIRED and not begun.labels and not any(waiting.reactions.values())
            )
            await bot.stop()
    assert [message for message in chat.messages if message.from_bot] == [begun]
    assert len(provider.requests) == 1
    edits = [call for call in emu.journal.of("editMessageText") if call.params.get("text") == EXPIRED]
    assert len(edits) == 1


async def test_a_message_that_was_to_hold_the_answer_is_not_sent_any_more(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Killed
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer(asyncio.Event(), "never")
    emu.faults.add(Fault.retry_after("sendMessage", 3600, times=None))
    async with killed(start()) as bot:
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for(lambda: emu.journal.of("sendMessage"))
        # As it was before: until then it is being sent.
        while not (await bot.core.database.read(outbox.counts)).get("ready"):
            await pause()
    emu.faults.clear()
    async with start(clock=LaterClock(25)) as bot:
        # What is ready in a lane goes out in its order.
        later = await ann.say("/ping@demo_bot", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Bot ready", after=later)
        counts = await bot.core.database.read(outbox.counts)
        assert (await bot.core.database.read(inbox.counts))["expired"] == 1
    assert counts["dropped"] == 1
    assert [message.text for message in group.messages if message.from_bot] == ["Bot ready"]


async def test_in_private_nothing_is_said_of_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Killed
) -> None:
    provider.answer("Half", asyncio.Event())
    async with killed(start()):
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
    async with start(clock=LaterClock(25)):
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
    assert [message.text for message in ann.private_chat().messages if message.from_bot] == ["Bot ready"]
