"""Messages that come while an answer is being written: acknowledged, in order, and they can be taken back."""

import asyncio

import pytest

from bot_support import Start
from tgllm.db.tables import groups
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


def reactions(emu: Emulator, message: EmulatedMessage) -> list[str]:
    return [reaction["emoji"] for given in message.reactions.values() for reaction in given]


@pytest.mark.parametrize("place", ["private", "group", "topic"])
async def test_a_message_that_waits_has_a_reaction_until_it_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, place: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    topic = emu.add_topic(chat, "One") if place == "topic" else None
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    provider.answer("later")
    async with start():
        first = await ann.say("@demo_bot first", chat=chat, topic=topic)
        await emu.wait_for(lambda: provider.requests)
        second = await ann.say("@demo_bot second", chat=chat, topic=topic)
        await emu.wait_for(lambda: reactions(emu, second) == ["👀"])
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "later")
        await emu.wait_for(lambda: not reactions(emu, second))
    assert [call.params["message_id"] for call in emu.journal.of("setMessageReaction")] == [second.id] * 2
    assert not reactions(emu, first)


async def test_a_guest_of_a_group_that_was_let_in_gets_it_too(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start() as bot:
        await bot.core.database.write(lambda conn: groups.request(conn, group.id, "Team", 1))
        await bot.core.database.write(lambda conn: groups.set_status(conn, group.id, "active", 1))
        await ann.say("@demo_bot first", chat=group)
        await emu.wait_for(lambda: provider.requests)
        question = await eve.say("@demo_bot second", chat=group)
        await emu.wait_for(lambda: reactions(emu, question) == ["👀"])
        go_on.set()
        await emu.wait_for(lambda: not reactions(emu, question))


async def test_a_command_that_waits_loses_it_too(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        export = await ann.say("/export")
        await emu.wait_for(lambda: reactions(emu, export))
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: "2 messages" in message.text)
        await emu.wait_for(lambda: not reactions(emu, export))


async def test_what_a_restart_answers_loses_it_as_well(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(asyncio.Event())
    async with start(turns__stop_timeout=0.01) as bot:
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        second = await ann.say("second")
        await emu.wait_for(lambda: reactions(emu, second))
        await bot.stop()
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "second")
        await emu.wait_for(lambda: not reactions(emu, second))


async def test_commands_that_do_not_wait_and_other_talk_in_groups_get_none(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    go_on = asyncio.Event()
    provider.answer("Half", go_on)
    async with start():
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for(lambda: provider.requests)
        talk = await ann.say("not for the bot", chat=group)
        stranger = await eve.say("@demo_bot let me in", chat=group)
        last = await ann.say("@demo_bot more", chat=group)
        await emu.wait_for(lambda: reactions(emu, last))
        stop = await ann.say("/stop", chat=group)
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Ann: more")
    assert {call.params["message_id"] for call in emu.journal.of("setMessageReaction")} == {last.id}
    assert not any(reactions(emu, message) for message in (talk, stranger, stop))


async def test_cancel_takes_back_what_waits_and_leaves_the_answer_alone(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "whole")
    chat = ann.private_chat()
    async with start():
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        await ann.say("second")
        third = await ann.say("third")
        await emu.wait_for(lambda: reactions(emu, third))
        await ann.say("/cancel")
        await emu.wait_for_message(chat, lambda message: message.text == "2 waiting messages are cancelled.")
        await emu.wait_for(lambda: not reactions(emu, third))
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "whole")
        await ann.say("fourth")
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "fourth")
    assert provider.questions == ["first", "fourth"]


async def test_cancel_stops_the_answer_where_nothing_waits(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    async with start():
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await ann.say("/cancel")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Half\n\nStopped.")


async def test_cancel_leaves_what_others_have_said(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    go_on = asyncio.Event()
    provider.answer(go_on, "whole")

    async with start(let_in=[eve]):
        await ann.say("@demo_bot first", chat=group)
        await emu.wait_for(lambda: provider.requests)
        await ann.say("@demo_bot mine", chat=group)
        await eve.say("@demo_bot hers", chat=group)
        await ann.say("/cancel", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "1 waiting message is cancelled.")
        go_on.set()
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Eve: hers")
    assert provider.questions == ["Ann: first", "Eve: hers"]
