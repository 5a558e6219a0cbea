"""Stopping: by command, by Telegram's own button, by ours in groups, and with the whole bot."""

import asyncio

import pytest

from bot_support import Start
from tgllm.db.tables import groups, inbox, messages, requests
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


async def test_the_stop_command_ends_a_turn_and_keeps_what_came(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    async with start() as bot:
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await ann.say("/stop")
        answer = await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        request = (await bot.core.database.read(lambda conn: requests.recent(conn, 1)))[0]
        said = await bot.core.database.read(lambda conn: messages.of_turn(conn, request.turn_id))
    assert answer.text == "Half\n\nStopped."
    assert request.status == "stopped"
    assert (said[-1].text, said[-1].status) == ("Half", "stopped")
    assert provider.open_streams == 0


@pytest.mark.parametrize("command", ["/stop", "/cancel"])
async def test_a_question_that_was_sent_after_the_command_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, command: str
) -> None:
    """Both may be handled at once, since a command that stops does not wait for what runs."""
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and half")
    async with start():
        await ann.say(command)
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await emu.wait_for(lambda: "There is nothing to stop." in ann.private_chat().bot_texts)
        go_on.set()
        await emu.wait_for(lambda: "Half and half" in ann.private_chat().bot_texts)


async def test_the_stop_button_of_a_draft_ends_its_turn(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    async with start():
        await ann.say("go")
        draft = await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await ann.stop(draft)
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "Half\n\nStopped."


async def test_the_stop_button_in_a_group_ends_the_turn(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("Half", asyncio.Event())
    async with start():
        await ann.say("@demo_bot go", chat=group)
        growing = await emu.wait_for_message(group, lambda message: message.text == "Half")
        await ann.press(growing, "Stop")
        await emu.wait_for_message(group, lambda message: message.text == "Half\n\nStopped.")


@pytest.mark.parametrize("how", ["button", "command"])
@pytest.mark.parametrize("place", ["private", "group"])
async def test_only_the_answer_of_its_topic_is_stopped(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, place: str, how: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann], is_forum=True)
    one, two = emu.add_topic(chat, "One"), emu.add_topic(chat, "Two")
    go_on = asyncio.Event()
    provider.answer("Half", asyncio.Event())
    provider.answer("The ", go_on, "other.")

    async def stop() -> None:
        if how == "command":
            await ann.say("/stop@demo_bot", chat=chat, topic=one)
        elif place == "private":
            await ann.stop(await emu.wait_for_draft(chat, lambda draft: draft.text == "Half"))
        else:
            await ann.press(await emu.wait_for_message(chat, lambda message: message.text == "Half"), "Stop")

    async with start():
        await ann.say("@demo_bot go", chat=chat, topic=one)
        await emu.wait_for(lambda: provider.requests)
        await ann.say("@demo_bot on", chat=chat, topic=two)
        await emu.wait_for(lambda: len(provider.requests) == 2)
        await stop()
        stopped = await emu.wait_for_message(chat, lambda message: message.text.endswith("Stopped."))
        go_on.set()
        other = await emu.wait_for_message(chat, lambda message: message.text == "The other.")
    assert (stopped.topic, other.topic) == (one, two)
    assert stopped.text.startswith("Half" if how == "button" else ("Half", "Stopped."))


@pytest.mark.parametrize("command", ["/stop", "/cancel"])
async def test_a_question_that_came_together_with_the_wish_to_stop_is_not_asked(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, command: str
) -> None:
    """Telegram hands over what was said before the bot was there in one batch."""
    await ann.say("go")
    await ann.say(command)
    async with start():
        await emu.wait_for_message(ann.private_chat())
        asked = await ann.say("again")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "again", after=asked)
    said = ann.private_chat().bot_texts
    assert said == ["Stopped." if command == "/stop" else said[0], "again"]
    assert provider.questions == ["again"]


@pytest.mark.parametrize("command", ["/stop", "/cancel"])
async def test_a_question_that_came_together_with_somebody_elses_wish_to_stop_is_answered(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, command: str
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start() as bot:
        await bot.core.database.write(lambda conn: groups.request(conn, group.id, "Team", 1))
        await bot.core.database.write(lambda conn: groups.set_status(conn, group.id, "active", 1))
        await bot.stop()
    await ann.say("@demo_bot go", chat=group)
    await eve.say(f"{command}@demo_bot", chat=group)
    async with start():
        await emu.wait_for_message(group, lambda message: message.text.startswith("Ann asked this."))
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Ann: go")


async def test_what_comes_after_the_wish_to_stop_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    await ann.say("/stop")
    await ann.say("go")
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "go" and message.from_bot)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "There is nothing to stop.")


async def test_nothing_to_stop_is_said(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start():
        await ann.say("/cancel")
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "There is nothing to stop."


async def test_a_turn_that_ends_in_time_is_waited_for_when_the_bot_stops(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Whole", go_on, " answer.")
    async with start(turns__stop_timeout=30) as bot:
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Whole")
        bot.stopping.set()
        go_on.set()
        await bot.task
    assert ann.private_chat().bot_texts == ["Whole answer."]


async def test_a_turn_that_does_not_end_is_cut_and_its_partial_answer_sent(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    async with start(turns__stop_timeout=0) as bot:
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await bot.stop()
        request = (await bot.core.database.read(lambda conn: requests.recent(conn, 1)))[0]
    answer = ann.private_chat().bot_texts
    assert len(answer) == 1
    assert answer[0].startswith("Half\n\n")
    assert "restarted" in answer[0]
    assert request.status == "interrupted"


async def test_what_waited_when_the_bot_stopped_is_answered_after_the_next_start(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(asyncio.Event(), "never")
    async with start(turns__stop_timeout=0) as bot:
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        await ann.say("second")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await bot.stop()
        assert (await bot.core.database.read(inbox.counts)).get("queued") == 1
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "second")


async def test_a_stop_for_another_bot_is_no_question_that_passes_the_queue(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and whole.")
    async with start():
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await ann.say("/stop@other_bot hello")
        await ann.say("more")
        await emu.wait_for(lambda: not len(emu.bot.queue))
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "more")
    assert provider.questions == ["go", "more"]
