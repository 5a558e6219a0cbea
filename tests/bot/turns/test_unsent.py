"""What is left to send of an answer is dropped when its person stops it."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

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
SLOW = {
    "sending__paced": True,
    "sending__chat_rate": 2.0,
    "sending__chat_burst": 2,
    "sending__group_per_minute": 1000,
    "rendering__file_over": 0,
}
"""The parts of an answer take 20 s to be sent."""


class Talker:
    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="talker", title="Talker", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("talk", "Talk", self._talk),)

    async def _talk(self, call: CommandCall) -> str:
        return "\n\n".join(LONG.split("\n\n")[:18])


def parts_in(chat: EmulatedChat) -> int:
    return sum(message.text.startswith("Part ") for message in from_bot(chat))


async def waiting(bot: RunningBot) -> int:
    return (await bot.core.database.read(outbox.counts)).get("ready", 0)


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


async def test_after_a_restart_too(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.runtime.DRAIN_SECONDS", 0.01)
    chat = ann.private_chat()
    provider.answer(LONG)
    async with start(**SLOW) as bot:
        await ann.say("go")
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Part 1"))
        await bot.stop()
    async with start(**SLOW) as bot:
        asked = await ann.say("/stop")
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Stopped"), after=asked)
        assert await waiting(bot) == 0
        asked = await ann.say("/stop")
        again = await emu.wait_for_message(chat, after=asked)
    assert again.text == "There is nothing to stop."


async def test_the_rest_of_a_plugins_reply_is_dropped(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    chat = ann.private_chat()
    async with start(**SLOW, plugins=[GivenPlugin.of("talker", Talker())]) as bot:
        await ann.say("/talk")
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Part 1"))
        asked = await ann.say("/stop")
        reply = await emu.wait_for_message(chat, lambda message: message.text.startswith("Stopped"), after=asked)
        assert await waiting(bot) == 0
    assert dropped_count(reply.text) > 5
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
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, let_in: LetIn
) -> None:
    """Cards and notices for an admin are no part of an answer, and another topic has its own answer."""
    chat = ann.private_chat()
    one, two = emu.add_topic(chat, "One"), emu.add_topic(chat, "Two")
    provider.answer(LONG)
    provider.answer("\n\n".join(LONG.split("\n\n")[:5]))

    def notice(conn: Connection) -> None:
        outbox.add(conn, [plain_message(Lane(chat.id, one.id), "A notice.")], 1)

    async with start(**SLOW | {"sending__chat_rate": 4.0}) as bot:
        await ann.say("go", topic=one)
        await emu.wait_for_message(chat, lambda message: message.text.startswith("Part 0"))
        await bot.core.database.write(notice)
        await ann.say("go", topic=two)
        await emu.wait_for(lambda: len(provider.requests) == 2)
        await ann.say("/stop", topic=one)
        await emu.wait_for_message(chat, lambda message: message.text == "A notice.")
        await emu.wait_for_message(chat, lambda message: message.topic == two and message.text.startswith("Part 4"))
    assert {message.text[:7] for message in from_bot(chat) if message.topic == two} >= {
        f"Part {number}." for number in range(5)
    }


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
    provider.answer("\n\n".join(LONG.split("\n\n")[:12]))
    async with start(**SLOW) as bot:
        await bot.core.database.write(decide_group(group))
        await let_in(bot, [bob, eve])
        await bob.say("@demo_bot go", chat=group)
        await emu.wait_for_message(group, lambda message: message.text.startswith("Part 1"))
        person = {"asker": bob, "admin": ann, "other": eve}[who]
        await person.say("/stop@demo_bot", chat=group)
        if who == "other":
            await emu.wait_for_message(group, lambda message: message.text.startswith("Bob asked this."))
        else:
            await emu.wait_for_message(group, lambda message: message.text.startswith("Stopped."))
            assert await waiting(bot) == 0
    assert (parts_in(group) == 12) == (who == "other")


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
