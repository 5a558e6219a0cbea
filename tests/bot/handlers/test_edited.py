"""Edited messages: the last question is asked again, everything else is left alone."""

import asyncio

import pytest

from bot_support import Ask, Start, pause, settled
from tgllm import hookimpl
from tgllm.api import ChatInfo, Decision, PluginInfo, UserInfo
from tgllm.api.clock import Clock
from tgllm.bot.updates.raw import turn_id_of
from tgllm.db.tables import inbox, users
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.emulator.world.wire import message_json
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


def question(chat: EmulatedChat, text: str) -> EmulatedMessage:
    return next(message for message in chat.messages if message.text == text and not message.from_bot)


async def test_editing_the_last_question_asks_again_from_there(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    async with start():
        await ask("one")
        await ask("two")
        await ann.edit(question(chat, "two"), "two, better")
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "two, better")
        assert provider.told == ["one", "one", "two, better"]
        await ask("three")
    assert provider.told == ["one", "one", "two, better", "two, better", "three"]


async def test_a_question_may_be_edited_again_and_again(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    async with start():
        await ask("one")
        said = question(chat, "one")
        for text in ("uno", "eins"):
            await ann.edit(said, text)
            await emu.wait_for_message(chat, lambda message, text=text: message.from_bot and message.text == text)
    assert provider.told == ["eins"]


async def test_an_edit_stops_the_answer_that_is_being_written_and_asks_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Old", asyncio.Event())
    provider.answer("new answer")
    chat = ann.private_chat()
    async with start():
        said = await ann.say("one")
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Old")
        await ann.edit(said, "two")
        await emu.wait_for_message(chat, lambda message: message.text == "new answer")
    assert chat.bot_texts == ["Old\n\nStopped.", "new answer"]
    assert provider.told == ["two"]


async def test_an_edit_of_a_question_that_waits_is_asked_once_as_it_is_by_then(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.requests)
        waiting, last = await ann.say("two"), await ann.say("three")
        await ann.edit(waiting, "/clear")
        await ann.edit(waiting, "2")
        await ann.edit(waiting, "II")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "three")
        await emu.wait_for(lambda: not any(last.reactions.values()))
    assert chat.bot_texts == ["slow", "II", "three"]
    assert provider.told == ["one", "slow", "II", "II", "three"]
    assert not any(waiting.reactions.values())


async def test_an_edit_that_comes_with_its_question_is_asked_once(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    await ann.edit(await ann.say("@demo_bot one", chat=group), "@demo_bot two")
    async with start() as bot:
        await emu.wait_for_message(group, lambda message: message.text == "Ann: two")
        await settled(emu, bot)
    assert len(provider.requests) == 1


class Door:
    """A plugin that holds up whoever comes, between the claim of an update and its turn."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.decision: Decision | None = None

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="door", title="Door", api="1.0")

    @hookimpl
    async def tgllm_authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision | None:
        del user, chat, action
        self.reached.set()
        await self.opened.wait()
        return self.decision


async def test_an_edit_between_the_claim_and_the_turn_is_asked_once(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    door, chat = Door(), ann.private_chat()
    async with start(plugins=[GivenPlugin.of("door", door)]) as bot:
        said = await ann.say("one")
        await door.reached.wait()
        await ann.edit(said, "/clear")
        await ann.edit(said, "2")
        await ann.edit(said, "two")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        door.opened.set()
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "two")
        await settled(emu, bot)
        await bot.stop()
        assert await bot.core.database.read(inbox.counts) == {"done": 4}
    assert chat.bot_texts == ["two"]
    assert [[message.text for message in request.messages] for request in provider.requests] == [["two"]]


async def test_of_an_edited_question_that_is_not_let_in_nothing_is_noted_any_more(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    door = Door()
    door.decision = Decision.deny("Closed.")
    async with start(plugins=[GivenPlugin.of("door", door)]) as bot:
        said = await ann.say("one")
        await door.reached.wait()
        await ann.edit(said, "two")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        (row,) = await bot.core.database.read(inbox.running)
        door.opened.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: "Closed." in message.text)
        await bot.stop()
        assert not bot.core.running.take_outdated(row.lane, turn_id_of(row.update_id))
    assert not provider.requests


async def test_in_a_topic_an_edit_of_an_edit_is_asked_once(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topic, door = emu.add_topic(group, "Boats"), Door()
    door.opened.set()
    async with start(plugins=[GivenPlugin.of("door", door)]) as bot:
        await ask("@demo_bot one", chat=group, topic=topic)
        said = question(group, "@demo_bot one")
        door.reached.clear()
        door.opened.clear()
        await ann.edit(said, "@demo_bot two")
        await door.reached.wait()
        await ann.edit(said, "@demo_bot three")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        door.opened.set()
        await emu.wait_for_message(group, lambda message: message.text == "Ann: three")
        await settled(emu, bot)
    assert provider.questions == ["Ann: one", "Ann: three"]


async def test_an_edit_that_came_before_a_crash_is_asked_once_after_it(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    door, chat = Door(), ann.private_chat()
    with pytest.raises(asyncio.CancelledError):  # noqa: PT012  the bot's end is part of what is tried
        async with start(plugins=[GivenPlugin.of("door", door)]) as bot:
            said = await ann.say("one")
            await door.reached.wait()
            await ann.edit(said, "two")
            await emu.wait_for(lambda: not emu.bot.queue.pending)
            bot.task.cancel()
            await asyncio.wait([bot.task])
    async with start() as bot:
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "two")
        await settled(emu, bot)
    assert provider.questions == ["two"]


@pytest.mark.parametrize("edited", [0, 1])
async def test_a_part_of_a_long_text_that_is_edited_while_others_are_waited_for_is_asked_as_edited(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    patient_clock: Clock,
    edited: int,
) -> None:
    full, chat = ["x" * 4096, "y" * 4096], ann.private_chat()
    provider.answer("I see.")
    async with start(turns__context_tokens=20000, clock=patient_clock) as bot:
        parts = [await ann.say(text) for text in full]
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        while (await bot.core.database.read(inbox.counts)).get("merged") != 1:
            await pause()
        await ann.edit(parts[edited], full[edited].upper())
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await ann.say("the end")
        await emu.wait_for_message(chat, lambda message: message.text == "I see.")
        assert await bot.core.database.read(inbox.counts) == {"done": 2, "merged": 2}
    full[edited] = full[edited].upper()
    assert provider.questions == ["".join(full) + "the end"]


async def test_a_long_text_whose_beginning_is_made_short_does_not_lose_its_rest(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: Clock
) -> None:
    chat = ann.private_chat()
    provider.answer("I see.")
    provider.answer("I see more.")
    async with start(turns__context_tokens=20000, clock=patient_clock) as bot:
        first = await ann.say("x" * 4096)
        await ann.say("y" * 4096)
        while (await bot.core.database.read(inbox.counts)).get("merged") != 1:
            await pause()
        await ann.edit(first, "short")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await ann.say("the end")
        await emu.wait_for_message(chat, lambda message: message.text == "I see more.")
    assert provider.questions == ["short", "y" * 4096 + "the end"]


async def test_a_caption_that_is_edited_while_an_album_is_waited_for_is_asked_as_edited(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: Clock
) -> None:
    items = [(f"{number}.jpg", b"picture") for number in range(5)]
    async with start(clock=patient_clock) as bot:
        first = await ann.album(items, caption="one")
        while (await bot.core.database.read(inbox.counts)).get("merged") != 4:
            await pause()
        await ann.edit(first[0], "two")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await ann.album(items, group_id=str(first[0].fields["media_group_id"]))
        await emu.wait_for_message(ann.private_chat())
        await bot.stop()
    assert [question.splitlines()[-1] for question in provider.questions] == ["two"]


async def test_a_command_that_waits_stays_what_it_was(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.requests)
        await ann.edit(await ann.say("/ping"), "pong")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "Bot ready")
    assert len(provider.requests) == 1


async def test_in_a_group_an_edit_of_a_question_that_is_asked_again_stops_that_too(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ask("@demo_bot one", chat=group)
        provider.answer("Old", asyncio.Event())
        await ann.say("/retry@demo_bot", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Old")
        await ann.edit(question(group, "@demo_bot one"), "two @demo_bot")
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Ann: two")
    assert provider.told == ["Ann: two"]


@pytest.mark.parametrize("text", ["one", "/clear"])
async def test_an_edit_that_asks_nothing_else_lets_the_answer_go_on(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, text: str
) -> None:
    """Telegram also tells of a link's preview, and of changes in a message that is quoted."""
    go_on, chat = asyncio.Event(), ann.private_chat()
    async with start() as bot:
        first = await ask("zero")
        provider.answer("The ", go_on, "answer.")
        said = await ann.say("one", reply_to=first)
        await emu.wait_for_draft(chat, lambda draft: draft.text == "The")
        other = await ann.say("waits")
        await ann.edit(said, text)
        await ann.edit(other, "waits on")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "The answer.")
        await settled(emu, bot)
    assert "Stopped." not in "".join(message.text for message in chat.messages)


@pytest.mark.parametrize("text", ["one, better", "/clear"])
async def test_edits_of_other_messages_are_ignored(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, text: str
) -> None:
    chat = ann.private_chat()
    async with start() as bot:
        await ask("one")
        await ask("two")
        await ann.edit(question(chat, "one"), text)
        await settled(emu, bot)
        assert chat.bot_texts == ["one", "two"]
        await ask("three")
    assert provider.told == ["one", "one", "two", "two", "three"]


async def test_an_edit_to_a_command_is_ignored(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("one")
        await ann.edit(question(ann.private_chat(), "one"), "/clear")
        await ask("two")
    assert provider.told == ["one", "one", "two"]


async def test_an_edit_that_leaves_the_text_as_it_was_asks_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start() as bot:
        first = await ask("one")
        await ask("two", reply_to=first)
        await ann.edit(question(ann.private_chat(), "two"), "two")
        await settled(emu, bot)
    assert len(provider.requests) == 2


async def test_an_edit_of_somebody_unknown_is_ignored_and_no_request(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start() as bot:
        message = EmulatedMessage(group.next_message_id(), group, eve, 1_790_000_000)
        emu.bot.queue.put("edited_message", {**message_json(message), "text": "@demo_bot please"}, eve.id)
        await settled(emu, bot)
        assert await bot.core.database.read(lambda conn: users.get(conn, eve.id)) is None
    assert group.bot_texts == []
    assert not provider.requests


async def test_in_a_group_the_edited_question_gets_a_new_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ask("@demo_bot one", chat=group)
        said = question(group, "@demo_bot one")
        await ann.edit(said, "@demo_bot two")
        answer = await emu.wait_for_message(group, lambda message: message.from_bot and "two" in message.text)
    assert answer.reply_to is said
    assert provider.told == ["Ann: two"]
