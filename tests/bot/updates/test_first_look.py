"""What is read about an update when it is claimed."""

import sqlite3
from typing import TYPE_CHECKING, Any, cast

import pytest

from database_support import NOW
from tgllm.bot.updates.first_look import FirstLook, Looking
from tgllm.bot.updates.raw import to_inbox
from tgllm.db.database import Database
from tgllm.db.queries import inbox_claims
from tgllm.db.tables import inbox, users
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.people.standing import access_rows
from tgllm.services.tools.offering import NO_TOOLS
from tgllm.services.turns.opening import Opening
from tgllm.testing.clock import ManualClock

if TYPE_CHECKING:
    from tgllm.services.conversations.loader import TurnContext

ANN = 5


def opening(_conn: sqlite3.Connection, turn: Turn) -> Opening:
    """What a turn begins with; here only its place and its person count."""
    return Opening(turn, cast("TurnContext", None), (), None, is_approved=True, offer=NO_TOOLS)


look = Looking(42, "demo_bot", ManualClock(), opening)


def said(update_id: int, *, chat: int = ANN, sender: int | None = ANN) -> dict[str, Any]:
    kind = "private" if chat > 0 else "supergroup"
    message = {"message_id": update_id, "date": 1, "chat": {"id": chat, "type": kind}, "text": "hello"}
    if sender is not None:
        message["from"] = {"id": sender, "is_bot": False, "first_name": "Ann"}
    return {"update_id": update_id, "message": message}


def first(conn: sqlite3.Connection, *updates: dict[str, Any]) -> FirstLook:
    """Store updates, claim the first one, and look at it."""
    inbox.add_updates(conn, [row for update in updates if (row := to_inbox(update)) is not None], NOW)
    return look(conn, inbox_claims.claim(conn, 1, NOW, max_attempts=2)[0])


async def test_the_access_of_the_sender_is_read(database: Database) -> None:
    await database.write(lambda conn: users.ensure_owners(conn, (ANN,), NOW))
    look = await database.write(lambda conn: first(conn, said(1)))
    assert look.access == await database.read(lambda conn: access_rows(conn, ANN, ANN))
    assert look.access is not None
    assert look.access.user is not None


async def test_in_a_group_its_own_access_is_read_too(database: Database) -> None:
    look = await database.write(lambda conn: first(conn, said(1, chat=-100)))
    assert look.access == await database.read(lambda conn: access_rows(conn, ANN, -100))


async def test_an_update_with_others_behind_it_is_not_alone(database: Database) -> None:
    assert not (await database.write(lambda conn: first(conn, said(1), said(2)))).is_alone


async def test_updates_of_other_chats_do_not_count(database: Database) -> None:
    assert (await database.write(lambda conn: first(conn, said(1), said(2, chat=6, sender=6)))).is_alone


async def test_what_an_earlier_attempt_has_merged_counts(database: Database) -> None:
    await database.write(lambda conn: first(conn, said(1), said(2)))

    def again(conn: sqlite3.Connection) -> FirstLook:
        inbox.merge(conn, 1, [2], NOW)
        row = inbox.get(conn, 1)
        assert row is not None
        return look(conn, row)

    assert not (await database.write(again)).is_alone


def known(conn: sqlite3.Connection, *updates: dict[str, Any]) -> FirstLook:
    """The same with an owner of the bot, Ann."""
    users.ensure_owners(conn, (ANN,), NOW)
    return first(conn, *updates)


async def test_what_the_turn_of_a_question_reads_is_read_ahead(database: Database) -> None:
    look = await database.write(lambda conn: known(conn, said(1)))
    assert look.ahead is not None
    turn = look.ahead.opening.turn
    assert (turn.lane, turn.user.id, turn.user.role, turn.chat.is_private) == (Lane(ANN).key, ANN, "owner", True)


async def test_in_a_group_only_what_is_for_the_bot_is_read_ahead(database: Database) -> None:
    for number, (text, is_read) in enumerate({"hello": False, "hello @demo_bot": True}.items()):
        update = said(number, chat=-100)
        update["message"] |= {"text": text, "entities": [{"type": "mention", "offset": 6, "length": 9}] * is_read}
        look = await database.write(lambda conn, update=update: known(conn, update))
        assert (look.ahead is not None) == is_read
        await database.write(lambda conn, number=number: inbox.finish(conn, number, "done", NOW))


@pytest.mark.parametrize("text", ["/clear", "/retry", "/ask what?"])
async def test_nothing_is_read_ahead_for_a_command(database: Database, text: str) -> None:
    update = said(1)
    update["message"]["text"] = text
    assert (await database.write(lambda conn: known(conn, update))).ahead is None


async def test_nothing_is_read_ahead_for_a_stranger_or_an_edit(database: Database) -> None:
    assert (await database.write(lambda conn: known(conn, said(1, chat=6, sender=6)))).ahead is None
    edit = said(2)
    edit["edited_message"] = edit.pop("message")
    assert (await database.write(lambda conn: known(conn, edit))).ahead is None


async def test_what_can_not_be_read_ahead_is_left_to_the_turn(database: Database) -> None:
    def broken(_conn: sqlite3.Connection, _turn: Turn) -> Opening:
        raise LookupError

    def unit(conn: sqlite3.Connection) -> FirstLook:
        users.ensure_owners(conn, (ANN,), NOW)
        inbox.add_updates(conn, [row for row in [to_inbox(said(1))] if row is not None], NOW)
        claimed = inbox_claims.claim(conn, 1, NOW, max_attempts=2)[0]
        return Looking(42, "demo_bot", ManualClock(), broken)(conn, claimed)

    found = await database.write(unit)
    assert (found.ahead, found.is_alone) == (None, True)
