"""What is left to send of an answer is dropped when its person stops it."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot_support import LetIn, Start, content, decide_group, from_bot
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo
from tgllm.bot.delivery.files import document_payload
from tgllm.bot.delivery.rows import document_row
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import messages, outbox, requests
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import plain_message
from tgllm.services.personal_data.export_files import write_exports
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

PARTS = 43
LONG = "\n\n".join(f"Part {number}. " + "word " * 700 for number in range(PARTS))
FEW = 5
SHORT = "\n\n".join(LONG.split("\n\n")[:FEW])
SLOW = {
    "sending__paced": True,
    "sending__chat_rate": 2.0,
    "sending__chat_burst": 2,
    "sending__group_per_minute": 1000,
    "rendering__file_over": 0,
}
"""The parts of the long answer take 20 s to be sent."""


class Talker:
    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="talker", title="Talker", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("talk", "Talk", self._talk),)

    async def _talk(self, call: CommandCall) -> str:
        return SHORT


def parts_in(chat: EmulatedChat) -> int:
    return sum(message.text.startswith("Part ") for message in from_bot(chat))


async def waiting(bot: RunningBot) -> int:
    return (await bot.core.database.read(outbox.counts)).get("ready", 0)


async def held(bot: RunningBot, parts: int = FEW) -> None:
    """Wait until so many parts wait; nothing is sent from the moment when this is called."""
    bot.runtime._parts.sender.stop_claiming()
    while await waiting(bot) < parts:  # noqa: ASYNC110  a row of the database sets no event
        await asyncio.sleep(0.01)


async def stopped(bot: RunningBot, person: EmulatedUser, text: str = "/stop", **place: Any) -> None:
    """Send a command, wait until it is handled, and let the sender go on."""
    await person.say(text, **place)
    while not await bot.core.database.read(lambda conn: is_handled(conn, text)):  # noqa: ASYNC110  nothing signals a change of the inbox
        await asyncio.sleep(0.01)
    bot.runtime._parts.sender._claiming = True
    bot.runtime._parts.sender.wake()


def is_handled(conn: Connection, text: str) -> bool:
    states = conn.execute("SELECT state FROM inbox WHERE json_extract(payload, '$.message.text') = ?", (text,))
    return [row["state"] for row in states] == ["done"]


async def turn_id(bot: RunningBot) -> str:
    return (await bot.core.database.read(lambda conn: requests.recent(conn, 1)))[0].turn_id


def dropped_count(text: str) -> int:
    found = re.match(r"Stopped\. (\d+) messages were left to send", text)
    assert found is not None, text
    return int(found[1])


@pytest.mark.parametrize("command", ["/stop", "/cancel"])
async def test_parts_that_wait_are_dropped_and_the_reply_comes_next(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, command: str
) -> None:
    chat = ann.private_chat()
    provider.answer(LONG)
    async with start(**SLOW) as bot:
        await ann.say("go")
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Part 1"))
        asked = await ann.say(command)
        reply = await emu.wait_for_message(chat, lambda message: message.text.startswith("Stopped"), after=asked)
        assert await waiting(bot) == 0
        turn = await turn_id(bot)
        history = await bot.core.database.read(lambda conn: messages.of_turn(conn, turn))
        arrived = parts_in(chat)
        asked = await ann.say("/export")
        export = await emu.wait_for_message(chat, lambda message: message.file is not None, after=asked)
        assert history[-1].text == LONG
        assert "Part 42." in content(export)
    assert arrived == parts_in(chat) < PARTS
    assert dropped_count(reply.text) + arrived >= PARTS
    assert "/export" in reply.text


async def test_after_a_restart_too(emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider) -> None:
    chat = ann.private_chat()
    provider.answer(SHORT)
    async with start(rendering__file_over=0) as bot:
        bot.runtime._parts.sender.stop_claiming()
        await ann.say("go")
        await held(bot)
        await bot.stop()
    async with start(sending__paced=True, sending__chat_rate=0.25, sending__chat_burst=2):
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Part 0"))
        await ann.say("/stop")
        # At this rate the parts would take 12 s.
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Stopped"))
    async with start() as bot:
        assert await waiting(bot) == 0
        await ann.say("/stop")
        await emu.wait_for_message(chat, lambda message: message.text == "There is nothing to stop.")
    assert parts_in(chat) < FEW


async def test_the_rest_of_a_plugins_reply_is_dropped(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    chat = ann.private_chat()
    async with start(plugins=[GivenPlugin.of("talker", Talker())], rendering__file_over=0) as bot:
        bot.runtime._parts.sender.stop_claiming()
        await ann.say("/talk")
        await held(bot)
        await stopped(bot, ann)
        reply = await emu.wait_for_message(chat)
    assert dropped_count(reply.text) == FEW
    assert "/export" not in reply.text


async def test_a_file_that_waits_is_removed(emu: Emulator, ann: EmulatedUser, start: Start, tmp_path: Path) -> None:
    chat = ann.private_chat()
    (path,) = write_exports(tmp_path, ["A long answer."], 2e9)
    async with start() as bot:
        await ann.say("go")
        await emu.wait_for_message(chat)
        turn, lane = await turn_id(bot), Lane(ann.id)

        def unit(conn: Connection) -> None:
            row = document_row(lane, document_payload(path, "answer.md"), turn_id=turn, part=9)
            (row_id,) = outbox.add(conn, [row], 1)
            outbox.postpone(conn, row_id, 10**15)

        await bot.core.database.write(unit)
        await ann.say("/stop")
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Stopped. 1 message was"))
        await emu.wait_for(lambda: not path.exists())


async def test_other_lanes_and_other_messages_stay(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    """Cards and notices for an admin are no part of an answer, and another topic has its own answer."""
    chat = ann.private_chat()
    one, two = emu.add_topic(chat, "One"), emu.add_topic(chat, "Two")
    for _ in (one, two):
        provider.answer(SHORT)

    def notice(conn: Connection) -> None:
        outbox.add(conn, [plain_message(Lane(chat.id, one.id), "A notice.")], 1)

    async with start(rendering__file_over=0) as bot:
        bot.runtime._parts.sender.stop_claiming()
        await ann.say("go", topic=one)
        await ann.say("go", topic=two)
        await held(bot, 2 * FEW)
        await bot.core.database.write(notice)
        await stopped(bot, ann, topic=one)
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Stopped. 5 messages"))
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Part 4"))
    texts = [message.text[:9] for message in from_bot(chat) if message.topic == one]
    assert texts == ["A notice.", "Stopped. "]
    assert [message.text[:7] for message in from_bot(chat) if message.topic == two] == [
        f"Part {number}." for number in range(FEW)
    ]


@pytest.mark.parametrize("who", ["asker", "admin", "other"])
async def test_in_a_group_the_asker_and_admins_may(
    emu: Emulator,
    ann: EmulatedUser,
    eve: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    let_in: LetIn,
    who: str,
) -> None:
    bob = emu.add_user(first_name="Bob", language_code="en")
    group = emu.add_group(title="Team", members=[ann, bob, eve])
    provider.answer(SHORT)
    async with start(rendering__file_over=0) as bot:
        await bot.core.database.write(decide_group(group))
        await let_in(bot, [bob, eve])
        bot.runtime._parts.sender.stop_claiming()
        await bob.say("@demo_bot go", chat=group)
        await held(bot)
        await stopped(bot, {"asker": bob, "admin": ann, "other": eve}[who], "/stop@demo_bot", chat=group)
        expected = "Bob asked this." if who == "other" else "Stopped. 5 messages"
        await emu.wait_for_message(group, lambda message: message.text.startswith(expected))
    assert parts_in(group) == (FEW if who == "other" else 0)


async def test_a_message_that_waits_is_cancelled_together_with_the_parts(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    provider.answer(SHORT)
    provider.answer(asyncio.Event())
    async with start(rendering__file_over=0) as bot:
        bot.runtime._parts.sender.stop_claiming()
        await ann.say("one")
        await held(bot)
        await ann.say("two")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        await ann.say("three")
        await stopped(bot, ann, "/cancel")
        reply = await emu.wait_for_message(chat, lambda message: "cancelled" in message.text)
        await ann.say("/stop")
        await emu.wait_for_message(chat, lambda message: message.text == "Stopped.")
    assert "1 waiting message is cancelled. Stopped. 5 messages" in reply.text
    assert parts_in(chat) == 0


async def test_a_placeholder_whose_answer_waits_is_edited(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    """In a group the Stop button stays below the placeholder until its last edit is sent."""
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer("Fi", go_on, "ne.")
    async with start() as bot:
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Fi")
        go_on.set()
        answer = await emu.wait_for_message(group, lambda message: message.text == "Fine.")
        await bot.runtime._parts.sender.wait_idle()

        def again(conn: Connection) -> None:
            # As if the edit had not been sent yet: the sender is not woken.
            conn.execute(
                "UPDATE outbox SET state = 'ready', sent_at = NULL, not_before = 1e15 WHERE kind = 'edit' AND part = 1"
            )

        await bot.core.database.write(again)
        await ann.say("/stop@demo_bot", chat=group)
        await emu.wait_for_message(group, lambda message: message.text.startswith("Stopped. 1 message"))
        await emu.wait_for(lambda: answer.text == "Stopped.")
