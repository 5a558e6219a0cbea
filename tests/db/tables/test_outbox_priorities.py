"""The outbox sends what people wait for first, and finds it at the same cost however much waits."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database_support import NOW, refused, steps_of
from tgllm.db.engine.sqlite import connect, in_transaction, run_script
from tgllm.db.file.schema import models_sql, prepare
from tgllm.db.migrations.load import shipped
from tgllm.db.queries import chat_moves, outbox_claims
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import ANSWER, BACKGROUND, CARD, NOTICE, TIDY, NewOutbox, OutboxRow, Priority

FOREGROUND = (ANSWER, TIDY)

# The table before there were priorities.
OLD = """
    DROP TABLE outbox;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, lane TEXT NOT NULL, turn_id TEXT, part INTEGER NOT NULL DEFAULT 0, kind TEXT NOT NULL,
        method TEXT NOT NULL, chat_id INTEGER, thread_id INTEGER, payload TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'ready', attempts INTEGER NOT NULL DEFAULT 0,
        not_before INTEGER NOT NULL DEFAULT 0, message_id INTEGER, error TEXT, created_at INTEGER NOT NULL,
        sent_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX outbox_sending ON outbox (lane) WHERE state = 'sending';
    CREATE INDEX outbox_ready ON outbox (lane, id) WHERE state = 'ready';
"""


def call(lane: str = "a", priority: Priority = ANSWER, *, chat_id: int = 7, turn_id: str | None = None) -> NewOutbox:
    return NewOutbox(
        lane=lane, method="sendMessage", chat_id=chat_id, payload={"text": lane}, turn_id=turn_id, priority=priority
    )


def claimed(conn: sqlite3.Connection, limit: int = 10, now: int = NOW) -> list[int]:
    return [row.id for row in outbox_claims.claim(conn, limit, now)]


def test_answers_of_all_lanes_come_before_cards_and_notices(conn: sqlite3.Connection) -> None:
    notice, card, tidy, answer = outbox.add(
        conn, [call("a", NOTICE), call("b", CARD), call("c", TIDY), call("d", ANSWER)], NOW
    )
    assert claimed(conn, limit=3) == [answer, tidy, card]
    assert claimed(conn) == [notice]


def test_an_answer_overtakes_the_cards_of_its_lane_even_while_one_is_being_sent(conn: sqlite3.Connection) -> None:
    first, second = outbox.add(conn, [call("a", CARD), call("a", CARD)], NOW)
    assert claimed(conn) == [first]
    (answer,) = outbox.add(conn, [call("a", ANSWER)], NOW)
    assert claimed(conn) == [answer]
    assert claimed(conn) == []
    outbox.mark_sent(conn, [(first, 1)], NOW)
    assert claimed(conn) == [second]


def test_a_waiting_reaction_is_overtaken_and_a_card_waits_for_no_answer(conn: sqlite3.Connection) -> None:
    tidy, card, answer = outbox.add(conn, [call("a", TIDY), call("a", CARD), call("a", ANSWER)], NOW)
    assert claimed(conn) == [answer, card]
    outbox.mark_sent(conn, [(answer, 1), (card, 2)], NOW)
    assert claimed(conn) == [tidy]


def test_a_card_that_is_put_off_does_not_hold_up_answers(conn: sqlite3.Connection) -> None:
    (card,) = outbox.add(conn, [call("a", CARD)], NOW)
    claimed(conn)
    outbox.mark_ready_again(conn, card, NOW + 9000, "Too Many Requests")
    (answer,) = outbox.add(conn, [call("a")], NOW)
    assert outbox_claims.next_due(conn, NOW, priorities=FOREGROUND) == 0
    assert outbox_claims.next_due(conn, NOW, priorities=BACKGROUND) == NOW + 9000
    assert claimed(conn) == [answer]


def test_only_the_priorities_that_are_asked_for_are_claimed(conn: sqlite3.Connection) -> None:
    outbox.add(conn, [call("a", NOTICE), call("b", CARD)], NOW)
    assert outbox_claims.claim(conn, 5, NOW, priorities=FOREGROUND) == []
    assert [row.priority for row in outbox_claims.claim(conn, 5, NOW, priorities=BACKGROUND)] == [CARD, NOTICE]


def test_of_rows_that_were_put_off_the_one_that_waits_longest_comes_first(conn: sqlite3.Connection) -> None:
    first, second = outbox.add(conn, [call("a"), call("b")], NOW)
    claimed(conn)
    outbox.mark_ready_again(conn, second, NOW + 1, "no")
    outbox.mark_ready_again(conn, first, NOW + 2, "no")
    assert claimed(conn, 1, NOW + 3) == [second]
    assert claimed(conn, 1, NOW + 3) == [first]


@pytest.mark.parametrize("priority", [-1, 4])
def test_there_are_four_priorities(conn: sqlite3.Connection, priority: Priority) -> None:
    with refused(conn):
        outbox.add(conn, [call(priority=priority)], NOW)


def test_rows_that_waited_behind_others_follow_them_into_another_chat(conn: sqlite3.Connection) -> None:
    first, second = outbox.add(conn, [call(":-5:", chat_id=-5), call(":-5:", chat_id=-5)], NOW)
    (present,) = outbox.add(conn, [call(":-6:", chat_id=-6)], NOW)
    chat_moves.move(conn, -5, -6, ":-5:", ":-6:")
    order: list[int] = []
    while ids := claimed(conn):
        order += ids
        outbox.mark_sent(conn, [(row_id, 1) for row_id in ids], NOW)
    assert order == [first, second, present]


Step = tuple[str, str, Priority, int]
WHAT = ["add", "add", "add", "claim", "sent", "again", "later", "uncertain", "resend", "drop", "move"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        st.sampled_from("abc"),
        st.sampled_from([ANSWER, TIDY, CARD, NOTICE]),
        st.integers(1, 4),
    ),
    max_size=60,
)


def rows(conn: sqlite3.Connection, state: str) -> list[OutboxRow]:
    ids = [row["id"] for row in conn.execute("SELECT id FROM outbox WHERE state = ? ORDER BY id", (state,))]
    return [row for row_id in ids if (row := outbox.get(conn, row_id)) is not None]


def expected(conn: sqlite3.Connection, limit: int, now: int) -> list[int]:
    """What is to be claimed, found in the plainest way.

    If more rows are due than the limit, those that were put off are chosen by their time.
    """
    busy = {(row.lane, row.priority in BACKGROUND) for row in rows(conn, "sending")}
    heads: dict[tuple[str, bool], OutboxRow] = {}
    for row in sorted(rows(conn, "ready"), key=lambda row: (row.priority, row.id)):
        heads.setdefault((row.lane, row.priority in BACKGROUND), row)
    due = [row for stream, row in heads.items() if stream not in busy and row.not_before <= now]
    due.sort(key=lambda row: (row.not_before, row.id))
    chosen = list[OutboxRow]()
    for priority in (ANSWER, TIDY, CARD, NOTICE):
        for is_put_off in (False, True):
            chosen += [row for row in due if row.priority == priority and (row.not_before > 0) is is_put_off][:limit]
    return [row.id for row in sorted(chosen, key=lambda row: (row.priority, row.id))][:limit]


def take(conn: sqlite3.Connection, step: Step, now: int) -> None:
    what, lane, priority, number = step
    sending, uncertain, ready = (rows(conn, state) for state in ("sending", "uncertain", "ready"))
    match what:
        case "add":
            outbox.add(conn, [call(lane, priority)], now)
        case "claim":
            wanted = expected(conn, number, now)
            assert claimed(conn, number, now) == wanted
        case "sent" if sending:
            outbox.mark_sent(conn, [(sending[0].id, 1)], now)
        case "again" | "later" if sending:
            outbox.mark_ready_again(conn, sending[-1].id, now + (number if what == "later" else 0), "no")
        case "uncertain" if sending:
            outbox.mark_uncertain(conn, sending[0].id, "lost")
        case "resend" if uncertain:
            outbox.resend(conn, uncertain[0].id)
        case "drop" if ready:
            outbox.drop(conn, ready[number % len(ready)].id, "no")
        case "move":
            conn.execute("UPDATE outbox SET lane = 'b' WHERE lane = ? AND state IN ('ready', 'uncertain')", (lane,))
        case _:
            pass


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happens_the_first_of_each_stream_is_found(steps: list[Step]) -> None:
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.row_factory = sqlite3.Row
        conn.executescript(models_sql())
        for now, step in enumerate(steps, NOW):
            take(conn, step, now)
        # All that is ready is sent in the end.
        while ids := claimed(conn, 100, NOW + 1000) or [row.id for row in rows(conn, "sending")]:
            outbox.mark_sent(conn, [(row_id, 1) for row_id in ids], NOW)
        assert rows(conn, "ready") == []


Fill = Callable[[sqlite3.Connection, int], object]
SHAPES: dict[str, Fill] = {
    "many lanes": lambda conn, size: outbox.add(conn, [call(str(n), NOTICE, chat_id=n) for n in range(size)], NOW),
    "one lane": lambda conn, size: outbox.add(conn, [call("a", chat_id=1) for _ in range(size)], NOW),
    "one held chat": lambda conn, size: outbox.add(conn, [call("a", NOTICE, chat_id=7) for _ in range(size)], NOW),
    "for later": lambda conn, size: [
        outbox.postpone(conn, row_id, NOW + 1)
        for row_id in outbox.add(conn, [call(str(n), NOTICE, chat_id=n) for n in range(size)], NOW)
    ],
}


@pytest.mark.sqlite  # counts the steps of SQLite's virtual machine
@pytest.mark.parametrize("shape", SHAPES)
def test_a_claim_costs_the_same_however_much_waits(conn: sqlite3.Connection, shape: str) -> None:
    costs: list[tuple[int, int]] = []
    for size in (50, 10_000):
        conn.execute("DELETE FROM outbox")
        SHAPES[shape](conn, size)
        outbox.add(conn, [call("asked", chat_id=777_777)], NOW)
        due = steps_of(conn, lambda: outbox_claims.next_due(conn, NOW, exclude_chats={7}))
        costs.append((steps_of(conn, lambda: outbox_claims.claim(conn, 8, NOW, rooms={7: 0})), due))
    assert costs[1][0] < 1.5 * costs[0][0]
    assert costs[1][1] < 1.5 * costs[0][1]


def test_the_rows_of_an_older_database_get_priorities(path: Path) -> None:
    prepare(path, NOW)
    (step,) = [step for step in shipped() if step.name == "priorities"]
    with closing(connect(path)) as conn:
        in_transaction(conn, lambda conn: run_script(conn, OLD), "BEGIN IMMEDIATE")
        for lane, turn, state in (("a", "access:7:1", "ready"), ("a", None, "ready"), ("b", "access:8:1", "sending")):
            conn.execute(
                "INSERT INTO outbox (lane, turn_id, kind, method, payload, state, created_at)"
                " VALUES (?, ?, 'send', 'sendMessage', '{}', ?, 1)",
                (lane, turn, state),
            )
        in_transaction(conn, lambda conn: run_script(conn, step.sql), "BEGIN IMMEDIATE")
        assert [row["priority"] for row in conn.execute("SELECT priority FROM outbox ORDER BY id")] == [2, 0, 2]
        for column in LATER.splitlines():
            conn.execute(f"ALTER TABLE outbox ADD COLUMN {column}")
        assert claimed(conn) == [2, 1]
        fresh = {row["name"]: row["sql"] for row in conn.execute(_SCHEMA)}
    prepare(path.with_name("other.db"), NOW)
    with closing(connect(path.with_name("other.db"))) as conn:
        wanted = {row["name"]: row["sql"] for row in conn.execute(_SCHEMA)}
    names = {"outbox_sending", "outbox_ready", "outbox_due", "outbox_next", "outbox_moved"}
    assert {name: _plain(fresh[name]) for name in names} == {name: _plain(wanted[name]) for name in names}


LATER = """\
claimed_at INTEGER
known_id INTEGER
doubt INTEGER NOT NULL DEFAULT 0
unconfirmed INTEGER NOT NULL DEFAULT 0"""
"""Columns that later versions have added."""
_SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE tbl_name = 'outbox' AND sql IS NOT NULL"


def _plain(sql: str) -> str:
    return " ".join(sql.split())
