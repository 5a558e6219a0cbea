"""Chats that the bot may not write to."""

import sqlite3

from database_support import NOW
from tgllm.db.queries import erasure
from tgllm.db.tables import groups, inbox, users
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


def noted(conn: sqlite3.Connection) -> list[int]:
    return [row[0] for row in conn.execute("SELECT chat_id FROM unreachable_chats ORDER BY chat_id")]


def test_cleaning_removes_what_a_later_message_disproves_and_unknown_chats(conn: sqlite3.Connection) -> None:
    for user_id in (5, 6, 7, 55):
        users.upsert_seen(conn, users.SeenUser(user_id, None, "Ann", None, "en"), NOW)
    groups.request(conn, -100, "Team", NOW)
    for chat in (5, 6, 7, 55, -100, 99, -99):
        unreachable.note(conn, chat, NOW)
    came = [
        (1, "message", ":5:3"),
        (2, "my_chat_member", ":6:"),
        (3, "message", "business:7:"),
        (4, "message", ":555:"),
    ]
    for number, kind, lane in came:
        inbox.add_updates(conn, [NewUpdate(number, lane, kind, control=False, payload="{}")], NOW + 9)
    inbox.add_updates(conn, [NewUpdate(5, ":55:", "message", control=False, payload="{}")], NOW)

    assert unreachable.tidy(conn) == 3
    assert noted(conn) == [-100, 6, 7, 55]


def test_it_is_moved_with_a_group(conn: sqlite3.Connection) -> None:
    unreachable.note(conn, -5, NOW)
    unreachable.move(conn, -5, -1005)
    unreachable.move(conn, -6, -1006)
    assert noted(conn) == [-1005]


def test_it_is_erased_with_the_data_of_a_person(conn: sqlite3.Connection) -> None:
    for chat in (5, 6):
        unreachable.note(conn, chat, NOW)
    erasure.erase(conn, 5, 1)
    assert noted(conn) == [6]
