"""Updates of people without access don't hold up those of others, and a claim costs the same however many wait."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database_support import NOW, steps_of
from tgllm.db.engine.sqlite import connect, in_transaction, run_script
from tgllm.db.file.schema import models_sql, prepare
from tgllm.db.migrations.load import shipped
from tgllm.db.queries import inbox_claims
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate

# What the migration adds.
OLD = """
    DROP TRIGGER inbox_next;
    DROP INDEX inbox_first;
    DROP INDEX inbox_senders;
    DROP INDEX inbox_control;
    ALTER TABLE inbox DROP COLUMN stranger;
    ALTER TABLE inbox DROP COLUMN behind;
    CREATE INDEX inbox_control ON inbox (update_id) WHERE state = 'queued' AND control = 1;
"""


def update(update_id: int, lane: str = "a", *, stranger: bool = False, control: bool = False) -> NewUpdate:
    return NewUpdate(update_id, lane, "message", control, "{}", stranger=stranger)


def claimed(conn: sqlite3.Connection, limit: int = 9, strangers: int = 0) -> list[int]:
    rows = inbox_claims.claim(conn, limit, NOW, max_attempts=3, most_strangers=strangers)
    return [row.update_id for row in rows]


def test_strangers_have_places_of_their_own(conn: sqlite3.Connection) -> None:
    strangers = [update(number, f"s{number}", stranger=True) for number in range(5)]
    inbox.add_updates(conn, [*strangers, update(5, "ann"), update(6, "bob")], NOW)
    assert claimed(conn, limit=1, strangers=2) == [5, 0, 1]
    assert claimed(conn, limit=0, strangers=1) == [2]
    assert inbox.has_queued(conn)
    assert claimed(conn, limit=5) == [6]


def test_the_topics_of_one_chat_leave_places_to_others(conn: sqlite3.Connection) -> None:
    def started(limit: int) -> list[int]:
        rows = inbox_claims.claim(conn, limit, NOW, max_attempts=3, most_in_chat=3)
        return [row.update_id for row in rows]

    topics = [update(number, f":-100:{number}") for number in range(1, 21)]
    inbox.add_updates(conn, [*topics, update(30, ":-1001:"), update(31, ":7:"), update(32, ":7:5")], NOW)
    assert started(9) == [1, 2, 3, 30, 31, 32]
    assert started(3) == []
    assert inbox.has_queued(conn)
    inbox.finish(conn, 2, "done", NOW)
    assert started(9) == [4]
    inbox.finish(conn, 31, "done", NOW)
    inbox.add_updates(conn, [update(40, ":7:")], NOW)
    assert started(9) == [40]


def test_presses_of_strangers_wait_for_their_places(conn: sqlite3.Connection) -> None:
    presses = [update(number, f"s{number}", stranger=True, control=True) for number in range(5)]
    inbox.add_updates(conn, [*presses, update(5, "ann", control=True)], NOW)
    assert claimed(conn, limit=0, strangers=2) == [5, 0, 1]
    assert inbox.has_queued(conn)


def test_a_group_keeps_its_order_and_is_found_by_who_has_access(conn: sqlite3.Connection) -> None:
    others = [update(number, f"s{number}", stranger=True) for number in range(3)]
    inbox.add_updates(
        conn, [*others, update(3, "g", stranger=True), update(4, "g"), update(5, "g", stranger=True)], NOW
    )
    assert claimed(conn) == [3]
    assert claimed(conn, strangers=1) == [0]
    inbox.finish(conn, 3, "done", NOW)
    assert claimed(conn) == [4]
    inbox.finish(conn, 4, "done", NOW)
    assert claimed(conn) == []
    assert claimed(conn, strangers=9) == [1, 2, 5]


Step = tuple[str, str, bool, int]
WHAT = ["add", "add", "add", "claim", "finish", "release", "cancel", "merge"]
STEPS = st.lists(
    st.tuples(st.sampled_from(WHAT), st.sampled_from("abc"), st.booleans(), st.integers(0, 3)), max_size=60
)


def ids(conn: sqlite3.Connection, condition: str) -> list[int]:
    found = conn.execute(f"SELECT update_id FROM inbox WHERE {condition} ORDER BY update_id")
    return [row["update_id"] for row in found]


def expected(conn: sqlite3.Connection, limit: int, strangers: int) -> list[int]:
    """What is to be claimed, found in the plainest way."""
    open_, closed = list[tuple[int, int]](), list[int]()
    for lane in "abc":
        waiting = ids(conn, f"lane = '{lane}' AND state = 'queued'")
        own = ids(conn, f"lane = '{lane}' AND state = 'queued' AND stranger = 0")
        if not waiting or ids(conn, f"lane = '{lane}' AND state = 'running'"):
            continue
        if own:
            open_.append((own[0], waiting[0]))
        else:
            closed.append(waiting[0])
    return [first for _, first in sorted(open_)][:limit] + sorted(closed)[:strangers]


def take(conn: sqlite3.Connection, step: Step, number: int) -> None:
    what, lane, stranger, many = step
    running, queued = ids(conn, "state = 'running'"), ids(conn, "state = 'queued'")
    match what:
        case "add":
            inbox.add_updates(conn, [update(number, lane, stranger=stranger)], NOW)
        case "claim":
            wanted = expected(conn, many, many)
            assert claimed(conn, many, many) == wanted
        case "finish" if running:
            inbox.finish(conn, running[0], "done", NOW)
        case "release" if running:
            inbox.release(conn, running[0])
            inbox.separate(conn, running[0])
        case "cancel" if queued:
            inbox.cancel(conn, queued[many % len(queued)], NOW)
        case "merge" if running:
            inbox.merge(conn, running[0], queued, NOW)
        case _:
            pass


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happens_the_first_of_each_lane_is_found(steps: list[Step]) -> None:
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.row_factory = sqlite3.Row
        conn.executescript(models_sql())
        for number, step in enumerate(steps):
            take(conn, step, number)
        while found := claimed(conn, 9, 9) or ids(conn, "state = 'running'"):
            for update_id in found:
                inbox.finish(conn, update_id, "done", NOW)
        assert ids(conn, "state = 'queued'") == []


Fill = Callable[[int], list[NewUpdate]]
SHAPES: dict[str, Fill] = {
    "strangers": lambda size: [update(number, f"s{number}", stranger=True) for number in range(size)],
    "presses": lambda size: [update(number, f"s{number}", stranger=True, control=True) for number in range(size)],
    "one stranger": lambda size: [update(number, stranger=True) for number in range(size)],
    "one lane": lambda size: [update(number) for number in range(size)],
}


@pytest.mark.sqlite  # counts the steps of SQLite's virtual machine
@pytest.mark.parametrize("shape", SHAPES)
def test_a_claim_costs_the_same_however_many_wait(conn: sqlite3.Connection, shape: str) -> None:
    costs: list[int] = []
    for size in (50, 10_000):
        conn.execute("DELETE FROM inbox")
        inbox.add_updates(conn, SHAPES[shape](size), NOW)
        inbox.add_updates(conn, [update(20_000, "ann")], NOW)
        costs.append(steps_of(conn, lambda: claimed(conn, 8, 4)))
        assert "ann" in [row["lane"] for row in conn.execute("SELECT lane FROM inbox WHERE state = 'running'")]
    assert costs[1] < 1.5 * costs[0]


def test_the_updates_of_an_older_database_wait_as_before(path: Path) -> None:
    prepare(path, NOW)
    (step,) = [step for step in shipped() if step.name == "strangers"]
    with closing(connect(path)) as conn:
        wanted = schema(conn)
        in_transaction(conn, lambda conn: run_script(conn, OLD), "BEGIN IMMEDIATE")
        for number in (1, 2):
            conn.execute(
                "INSERT INTO inbox (update_id, lane, kind, payload, received_at) VALUES (?, 'a', 'message', '{}', 1)",
                (number,),
            )
        in_transaction(conn, lambda conn: run_script(conn, step.sql), "BEGIN IMMEDIATE")
        assert schema(conn) == wanted
        assert claimed(conn) == [1]
        inbox.finish(conn, 1, "done", NOW)
        assert claimed(conn) == [2]


def schema(conn: sqlite3.Connection) -> dict[str, str]:
    found = conn.execute(
        "SELECT name, sql FROM sqlite_schema WHERE tbl_name = 'inbox' AND type IN ('index', 'trigger')"
    )
    return {row["name"]: " ".join(row["sql"].split()) for row in found if row["sql"] is not None}
