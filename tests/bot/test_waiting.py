"""Messages that come while an answer is being written: acknowledged, in order, and they can be taken back."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tgllm.db import users
from tgllm.db.unit import Connection
from tgllm.db.users import SeenUser
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]


def reactions(emu: Emulator, message: EmulatedMessage) -> list[str]:
    return [reaction["emoji"] for given in message.reactions.values() for reaction in given]


async def test_a_message_that_waits_gets_a_reaction(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        first = await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        second = await ann.say("second")
        await emu.wait_for(lambda: reactions(emu, second) == ["👀"])
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "second")
    assert not reactions(emu, first)


async def test_commands_that_do_not_wait_and_groups_get_none(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("Half", asyncio.Event())
    provider.answer("Half", asyncio.Event())
    async with start():
        await ann.say("go")
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for(lambda: len(provider.requests) == 2)
        other = await ann.say("@demo_bot more", chat=group)
        stop = await ann.say("/stop")
        await ann.say("/stop", chat=group)
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Ann: more")
        await emu.wait_for_message(ann.private_chat(), lambda message: "Stopped" in message.text)
    assert not reactions(emu, other)
    assert not reactions(emu, stop)


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
        await ann.say("third")
        await ann.say("/cancel")
        await emu.wait_for_message(chat, lambda message: message.text == "2 waiting messages are taken back.")
        go_on.set()
        await emu.wait_for_message(chat, lambda message: message.text == "whole")
        await ann.say("fourth")
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text == "fourth")
    assert [request.messages[-1].text for request in provider.requests] == ["first", "fourth"]


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

    def let_in(conn: Connection) -> None:
        users.upsert_seen(conn, SeenUser(eve.id, None, "Eve"), 0)
        users.set_role(conn, eve.id, "user", 0)
        users.set_status(conn, eve.id, "active", 0)

    async with start() as bot:
        await bot.core.database.write(let_in)
        await ann.say("@demo_bot first", chat=group)
        await emu.wait_for(lambda: provider.requests)
        await ann.say("@demo_bot mine", chat=group)
        await eve.say("@demo_bot hers", chat=group)
        await ann.say("/cancel", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "1 waiting message is taken back.")
        go_on.set()
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Eve: hers")
    assert [request.messages[-1].text for request in provider.requests] == ["Ann: first", "Eve: hers"]
