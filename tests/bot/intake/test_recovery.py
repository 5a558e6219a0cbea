"""The bot is killed in the middle of a turn: what people find in the chat after the next start."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot_support import Killed, Start, from_bot
from tgllm.bot.updates.raw import to_inbox
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.services.common.update_notes import WAITS, with_note
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

SPENT = "I was interrupted too often while answering this. Please ask again."


def is_growing(message: EmulatedMessage) -> bool:
    return "Stop" in message.labels


def place_of(emu: Emulator, ann: EmulatedUser, place: str) -> tuple[EmulatedChat, EmulatedTopic | None]:
    chat = emu.add_group(title="Team", members=[ann], is_forum=place == "topic")
    return chat, emu.add_topic(chat, "One") if place == "topic" else None


@pytest.mark.parametrize("place", ["group", "topic"])
async def test_in_a_group_the_answer_goes_on_in_the_message_that_was_begun(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Killed, place: str
) -> None:
    chat, topic = place_of(emu, ann, place)
    provider.answer("Half", asyncio.Event())
    provider.answer("Half and whole.")
    async with killed(start()):
        await ann.say("@demo_bot go", chat=chat, topic=topic)
        await emu.wait_for_message(chat, lambda message: message.text == "Half")
    async with start():
        await emu.wait_for_message(chat, lambda message: message.text == "Half and whole." and not is_growing(message))
    (answer,) = from_bot(chat)
    assert answer.topic is topic


@pytest.mark.parametrize("place", ["group", "topic"])
async def test_in_a_group_the_message_that_was_begun_says_that_there_will_be_no_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Killed, place: str
) -> None:
    chat, topic = place_of(emu, ann, place)
    provider.answer("Half", asyncio.Event())
    async with killed(start(turns__attempts=1)):
        await ann.say("@demo_bot go", chat=chat, topic=topic)
        await emu.wait_for_message(chat, lambda message: message.text == "Half")
    async with start(turns__attempts=1):
        await emu.wait_for_message(chat, lambda message: message.text == SPENT and not is_growing(message))
    (answer,) = from_bot(chat)
    assert answer.topic is topic
    assert len(provider.requests) == 1


async def test_in_private_the_question_that_gets_no_answer_is_named_in_the_persons_language(
    emu: Emulator, start: Start, provider: ScriptedProvider, killed: Killed
) -> None:
    ivan = emu.add_user(first_name="Ivan", language_code="ru")
    provider.answer("Half", asyncio.Event())
    async with killed(start(turns__attempts=1, let_in=[ivan])):
        question = await ivan.say("go")
        await emu.wait_for_draft(ivan.private_chat(), lambda draft: draft.text == "Half")
    async with start(turns__attempts=1):
        told = await emu.wait_for_message(ivan.private_chat())
    assert "спросите ещё раз" in told.text
    assert told.reply_to is question
    assert len(from_bot(ivan.private_chat())) == 1


async def test_what_was_not_for_the_bot_or_of_a_stranger_is_not_talked_about(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, database_of: "OpenDatabase"
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start():
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
    talk = message_update(1, ann, group, "not for the bot")
    stranger = message_update(2, eve, eve.private_chat(), "let me in")
    edit = {"update_id": 3, "edited_message": message_update(3, ann, group, "nor this")["message"]}
    joined = {"update_id": 4, "my_chat_member": {"chat": {"id": group.id, "type": "group"}, "from": {"id": ann.id}}}
    async with database_of() as database:
        await database.write(lambda conn: begun_too_often(conn, talk, stranger, edit, joined))
    async with start():
        last = await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), after=last)
    assert not from_bot(group)
    assert not from_bot(eve.private_chat())
    async with database_of() as database:
        assert (await database.read(inbox.counts))["failed"] == 4
        rows = [await database.read(lambda conn, number=number: inbox.get(conn, number)) for number in (1, 2)]
    assert ["text" in row.payload for row in rows if row] == [False, False]


async def test_no_part_of_a_question_that_is_given_up_seems_to_wait(
    emu: Emulator, ann: EmulatedUser, start: Start, database_of: "OpenDatabase"
) -> None:
    chat = ann.private_chat()

    def merged(conn: Connection) -> None:
        begun_too_often(conn, *(message_update(number, ann, chat, "part") for number in (1, 2)))
        # On a server a note says that a message shows the reaction; the process that has set it may be gone.
        inbox.rewrite(conn, 1, with_note(json.dumps(message_update(1, ann, chat, "part")), WAITS))
        conn.execute("UPDATE inbox SET state = 'running' WHERE update_id = 1")
        inbox.merge(conn, 1, [2], 1)

    async with start():
        await ann.say("/ping")
        await emu.wait_for_message(chat)
    async with database_of() as database:
        await database.write(merged)
    async with start() as bot:
        await emu.wait_for_message(chat, lambda message: message.text == SPENT)
        await emu.wait_for(lambda: len(emu.journal.of("setMessageReaction")) >= 2)
        await bot.stop()
    assert {str(call.params["message_id"]) for call in emu.journal.of("setMessageReaction")} == {"901", "902"}


OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


@pytest.fixture
def database_of(tmp_path: Path) -> OpenDatabase:
    """The bot's database, for a time when the bot does not run."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Database]:
        async with await Database.open(tmp_path / "tgllm.db") as database:
            yield database

    return opened


def message_update(update_id: int, person: EmulatedUser, chat: EmulatedChat, text: str) -> dict[str, Any]:
    """An update as Telegram would hand it over."""
    where = {"id": chat.id, "type": "private" if chat.id > 0 else "supergroup"}
    who = {"id": person.id, "is_bot": False, "first_name": person.first_name}
    return {
        "update_id": update_id,
        "message": {"message_id": 900 + update_id, "date": 1, "chat": where, "from": who, "text": text},
    }


def begun_too_often(conn: Connection, *updates: dict[str, Any]) -> None:
    """Leave updates as the bot would whose last attempt at each has been killed."""
    rows = [row for update in updates if (row := to_inbox(json.loads(json.dumps(update)))) is not None]
    now = int(conn.execute("SELECT max(received_at) FROM inbox").fetchone()[0])
    inbox.add_updates(conn, rows, now)
    ids = [row.update_id for row in rows]
    spent = "attempts = 9, crashes = 9, strikes = 9"
    conn.executemany(f"UPDATE inbox SET state = 'queued', {spent} WHERE update_id = ?", [(i,) for i in ids])
