"""Faults inside the running bot: commands that hang, turns that break, messages that are gone."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot_support import Start
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, DatabaseError, PluginInfo, TextDelta
from tgllm.bot.commands import plugins
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import errors, inbox, outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

TEXTS = Catalogue(strict=True)


@dataclass
class Commands:
    """A plugin whose command does what a test says."""

    handler: Callable[[CommandCall], Any]
    calls: list[CommandCall] = field(default_factory=list)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="acting", title="Acting", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("act", "Do something", self.handler),)


def is_answer(message: EmulatedMessage) -> bool:
    """Whether a message of the bot is no notice to the admins."""
    return message.from_bot and not message.text.startswith("⚠️")


def explained(text: str) -> str:
    """What an answer says above the code of an unexpected error."""
    said, code = text.split("\n\n")
    assert re.fullmatch(r".*[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", code)
    return said


async def answer_to(emu: Emulator, ann: EmulatedUser, start: Start, handler: Callable[[CommandCall], Any]) -> str:
    """What the bot says to the command; it has to answer another one after it."""
    async with start(plugins=[GivenPlugin.of("acting", Commands(handler))]):
        asked = await ann.say("/act now")
        answer = await emu.wait_for_message(ann.private_chat(), is_answer, after=asked)
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
    return answer.text


def raising(error: BaseException) -> Callable[[CommandCall], Any]:
    async def handler(call: CommandCall) -> str:
        raise error

    return handler


FAILED = TEXTS("error.command_failed", command="act", plugin="acting")


@pytest.mark.parametrize(
    "error",
    [ValueError("bang"), SystemExit(3), asyncio.CancelledError(), TimeoutError(), DatabaseError("mine")],
    ids=repr,
)
async def test_a_command_may_raise_anything(
    emu: Emulator, ann: EmulatedUser, start: Start, error: BaseException
) -> None:
    assert explained(await answer_to(emu, ann, start, raising(error))) == FAILED


async def test_a_command_that_returns_something_else_has_failed(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async def handler(call: CommandCall) -> Any:
        return 5

    assert explained(await answer_to(emu, ann, start, handler)) == FAILED


@pytest.mark.parametrize("swallow", [False, True])
async def test_a_command_that_hangs_is_given_up_with_a_sentence(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch, swallow: bool
) -> None:
    monkeypatch.setattr(plugins, "COMMAND_SECONDS", 0.05)
    monkeypatch.setattr(plugins, "GRACE_SECONDS", 0.05)
    release = asyncio.Event()

    async def handler(call: CommandCall) -> str:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                if not swallow:
                    raise
        return "late"

    answer = await answer_to(emu, ann, start, handler)
    assert answer == TEXTS("error.command_slow", command="act", plugin="acting", time="1 second")
    release.set()


async def test_a_turn_that_breaks_inside_the_bot_is_told_and_holds_nobody_up(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise LookupError("a mistake of ours")

    async with start() as bot:
        monkeypatch.setattr("tgllm.services.turns.runner.record_turn", broken)
        await ann.say("go")
        answer = await emu.wait_for_message(ann.private_chat(), is_answer)
        monkeypatch.undo()
        await ann.say("again")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "again")
        await bot.stop()
        assert await bot.core.database.read(inbox.counts) == {"failed": 1, "done": 1}
        (row,) = await bot.core.database.read(lambda conn: errors.recent(conn, 2))
    assert answer.text == TEXTS("errors.internal", code=row.id)


async def test_an_answer_whose_message_was_deleted_is_sent_anew(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer("Once", go_on, " more.")
    async with start(streaming__edit_interval=60):
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for_message(group)
        fault = emu.faults.add(Fault.api_error("editMessageText", 400, "Bad Request: message to edit not found"))
        go_on.set()
        answer = await emu.wait_for_message(group, lambda message: message.text == "Once more.")
    assert fault.hits == 1
    assert "Stop" not in answer.labels


async def test_a_row_that_asks_for_something_impossible_stops_no_other(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    odd = [
        NewOutbox(lane=Lane(ann.id).key, method="banChatMember", chat_id=ann.id, payload={"chat_id": ann.id}),
        NewOutbox(lane=Lane(ann.id).key, method="sendMessage", chat_id=ann.id, payload={"chat_id": ann.id}),
    ]
    async with start() as bot:
        await bot.core.database.write(lambda conn: outbox.add(conn, odd, 0))
        await ann.say("go")
        await emu.wait_for_message(ann.private_chat(), is_answer)
        await bot.stop()
        assert (await bot.core.database.read(outbox.counts))["failed"] == 2
    assert [text for text in ann.private_chat().bot_texts if not text.startswith("⚠️")] == ["go"]


async def test_while_a_chat_is_held_the_sender_sleeps(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = 0
    claim = outbox_claims.claim

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal claims
        claims += 1
        return claim(*args, **options)

    monkeypatch.setattr(outbox_claims, "claim", counted)
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news, music = emu.add_topic(group, "News"), emu.add_topic(group, "Music")
    held = emu.faults.add(Fault.retry_after("sendMessage", 30, chat_id=group.id))
    async with start(turns__stop_timeout=0) as bot:
        await ann.say("@demo_bot /ping", chat=group, topic=news)
        await ann.say("/ping", chat=group, topic=news)
        await held.reached.wait()
        await ann.say("/ping", chat=group, topic=music)
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        for number in range(3):
            await ann.say(f"private {number}")
            await emu.wait_for_message(
                ann.private_chat(), lambda message, number=number: message.from_bot and str(number) in message.text
            )
        before = claims
        for _ in range(50):
            await bot.core.database.write(lambda conn: None)
        assert claims - before < 5
        await bot.core.database.write(
            lambda conn: conn.execute("UPDATE outbox SET state = 'dropped' WHERE state = 'ready'")
        )


async def test_a_refused_token_keeps_the_answer_for_the_next_start(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    emu.faults.add(Fault.unauthorized("sendMessage"))

    async def run_into_it() -> None:
        async with start() as bot:
            await ann.say("go")
            await asyncio.wait([bot.task])

    with pytest.raises(Exception, match="BotFather"):
        await run_into_it()
    async with start():
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["go"]


async def test_an_answer_with_half_a_character_arrives(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(TextDelta("a\ud83d"), TextDelta("\ude00 \ud83d"))
    async with start():
        await ann.say("go")
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "a😀 \ufffd"
