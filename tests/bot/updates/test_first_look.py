"""What is read about an update when it is claimed."""

import sqlite3
from typing import Any

from database_support import NOW
from tgllm.bot.updates.first_look import FirstLook, look_at
from tgllm.bot.updates.raw import to_inbox
from tgllm.db.database import Database
from tgllm.db.queries import inbox_claims
from tgllm.db.tables import inbox, users
from tgllm.services.people.standing import access_rows

ANN = 5


def said(update_id: int, *, chat: int = ANN, sender: int | None = ANN) -> dict[str, Any]:
    kind = "private" if chat > 0 else "supergroup"
    message = {"message_id": update_id, "date": 1, "chat": {"id": chat, "type": kind}, "text": "hello"}
    if sender is not None:
        message["from"] = {"id": sender, "is_bot": False, "first_name": "Ann"}
    return {"update_id": update_id, "message": message}


def first(conn: sqlite3.Connection, *updates: dict[str, Any]) -> FirstLook:
    """Store updates, claim the first one, and look at it."""
    inbox.add_updates(conn, [row for update in updates if (row := to_inbox(update)) is not None], NOW)
    return look_at(conn, inbox_claims.claim(conn, 1, NOW, max_attempts=2)[0])


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
        return look_at(conn, row)

    assert not (await database.write(again)).is_alone
