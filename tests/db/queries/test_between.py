"""What stands between a question and its answer."""

import sqlite3

import pytest

from database_support import NOW
from tgllm.db.queries import outbox_claims
from tgllm.db.queries.between import has_messages_between
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox, OutboxRow

LANE = ":5:"


@pytest.fixture(autouse=True)
def question(conn: sqlite3.Connection) -> None:
    add(conn, 10)


def add(
    conn: sqlite3.Connection, update_id: int, *, lane: str = LANE, kind: str = "message", control: bool = False
) -> None:
    inbox.add_updates(conn, [NewUpdate(update_id, lane, kind, control, "{}")], NOW)


def send(conn: sqlite3.Connection, message_id: int, *, turn_id: str | None = None, lane: str = LANE) -> OutboxRow:
    row = NewOutbox(lane=lane, method="sendMessage", chat_id=5, payload={"text": "a"}, turn_id=turn_id)
    outbox.add(conn, [row], NOW)
    (claimed,) = outbox_claims.claim(conn, 1, NOW)
    outbox.mark_sent(conn, [(claimed.id, message_id)], NOW)
    return claimed


def is_between(conn: sqlite3.Connection) -> bool:
    return has_messages_between(conn, LANE, update_id=10, turn_id="u10", message_id=3, received_at=NOW)


def test_a_question_alone_has_nothing_between(conn: sqlite3.Connection) -> None:
    add(conn, 9)
    send(conn, 2)
    send(conn, 4, turn_id="u10")
    add(conn, 11, lane=":6:")
    send(conn, 5, lane=":6:")
    add(conn, 12, kind="edited_message")
    add(conn, 13, control=True)
    assert not is_between(conn)


def test_a_later_message_is_between(conn: sqlite3.Connection) -> None:
    add(conn, 11)
    assert is_between(conn)


def test_a_cancelled_one_is_not(conn: sqlite3.Connection) -> None:
    add(conn, 11)
    inbox.cancel(conn, 11, NOW)
    assert not is_between(conn)


def test_what_is_merged_into_the_question_is_not(conn: sqlite3.Connection) -> None:
    add(conn, 11)
    conn.execute("UPDATE inbox SET state = 'running', started_at = ? WHERE update_id = 10", (NOW,))
    assert inbox.merge(conn, 10, [11], NOW) == [11]
    assert not is_between(conn)


def test_another_message_of_the_bot_is_between_once_it_is_below(conn: sqlite3.Connection) -> None:
    send(conn, 4)
    assert is_between(conn)


@pytest.mark.parametrize(("added_at", "between"), [(NOW - 5, False), (NOW + 5, True)])
def test_a_message_that_is_being_sent_is_between_if_it_came_later(
    conn: sqlite3.Connection, added_at: int, between: bool
) -> None:
    outbox.add(conn, [NewOutbox(lane=LANE, method="sendMessage", chat_id=5, payload={"text": "a"})], added_at)
    assert len(outbox_claims.claim(conn, 1, NOW)) == 1
    assert is_between(conn) is between


def test_a_message_that_waits_to_be_sent_will_be_between(conn: sqlite3.Connection) -> None:
    outbox.add(conn, [NewOutbox(lane=LANE, method="sendMessage", chat_id=5, payload={"text": "a"})], NOW)
    assert is_between(conn)
