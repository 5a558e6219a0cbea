"""Chats that the bot may not write to."""

import sqlite3

from database_support import NOW
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.plugins import unreachable


def test_a_chat_is_unreachable_until_it_is_reached(conn: sqlite3.Connection) -> None:
    unreachable.note(conn, 5, NOW)
    unreachable.note(conn, 5, NOW + 1)

    assert [unreachable.is_unreachable(conn, chat) for chat in (5, 55)] == [True, False]
    unreachable.reached(conn, 5)
    assert not unreachable.is_unreachable(conn, 5)


def test_a_later_message_from_the_chat_shows_that_it_is_not(conn: sqlite3.Connection) -> None:
    unreachable.note(conn, 5, NOW)
    for number, kind, lane, at in ((1, "message", ":5:", NOW), (2, "my_chat_member", ":5:", NOW + 9)):
        inbox.add_updates(conn, [NewUpdate(number, lane, kind, control=False, payload="{}")], at)
    assert unreachable.is_unreachable(conn, 5)

    inbox.add_updates(conn, [NewUpdate(3, ":55:", "message", control=False, payload="{}")], NOW + 9)
    assert unreachable.is_unreachable(conn, 5)
    inbox.add_updates(conn, [NewUpdate(4, ":5:7", "message", control=False, payload="{}")], NOW + 9)
    assert not unreachable.is_unreachable(conn, 5)
