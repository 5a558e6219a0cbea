"""Rows of answers that have not been sent yet."""

import sqlite3

from database_support import NOW
from tgllm.db.queries import outbox_claims
from tgllm.db.queries.unsent import replace_unsent, stop_after_this, unsent_in
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox

LANE = ":5:"


def row(turn_id: str | None, part: int = 0, lane: str = LANE) -> NewOutbox:
    return NewOutbox(lane=lane, method="sendMessage", chat_id=5, payload={"text": "a"}, turn_id=turn_id, part=part)


def test_only_answers_and_replies_of_the_lane_are_found(conn: sqlite3.Connection) -> None:
    rows = [row("u1"), row("u1", 1), row(None), row("invite:1"), row("request:user:7"), row("u2", lane=":6:")]
    ids = outbox.add(conn, rows, NOW)
    (first,) = [each for each in outbox_claims.claim(conn, 9, NOW) if each.lane == LANE]
    waiting, sending = unsent_in(conn, LANE)
    assert [each.id for each in sending] == [first.id] == ids[:1]
    assert [each.id for each in waiting] == ids[1:2]


def test_nothing_follows_a_row_that_was_stopped_while_it_was_sent(conn: sqlite3.Connection) -> None:
    outbox.add(conn, [row("u1")], NOW)
    (claimed,) = outbox_claims.claim(conn, 1, NOW)
    stop_after_this(conn, claimed.id)
    # The sender asks this in either case, before it sends anything more of the row.
    assert outbox.drop_erased(conn, claimed.id)
    assert outbox.counts(conn) == {"dropped": 1}


def test_a_replaced_row_is_due_at_once(conn: sqlite3.Connection) -> None:
    (row_id,) = outbox.add(conn, [row("u1")], NOW)
    outbox.postpone(conn, row_id, NOW + 1000)
    replace_unsent(conn, row_id, {"text": "b"})
    (claimed,) = outbox_claims.claim(conn, 1, NOW)
    assert claimed.payload == {"text": "b"}
