"""Tables ``errors`` and ``error_places``."""

import sqlite3
from dataclasses import replace

from tgllm.db.tables import errors
from tgllm.db.tables.errors import ErrorPlace, NewError

ONE = NewError(
    id="E7K2-9QXM",
    event="update.failed",
    kind="ValueError",
    message="bang",
    place="a.py:1",
    trace=["a.py:1 in f"],
    plugin=None,
    version="1.0",
    times=1,
    first_at=10,
    last_at=10,
    places=[ErrorPlace("update_id", "5", 7, 10)],
)


def test_errors_of_a_kind_are_counted_also_when_the_clock_goes_backwards(conn: sqlite3.Connection) -> None:
    errors.put(conn, ONE)
    errors.put(conn, replace(ONE, message="crash", times=3, first_at=5, last_at=6, places=[]))

    row = errors.get(conn, ONE.id)

    assert row is not None
    assert (row.times, row.first_at, row.last_at, row.message) == (4, 5, 10, "crash")
    assert row.trace == ("a.py:1 in f",)


def test_what_was_announced_is_announced_again_only_when_it_occurs_again(conn: sqlite3.Connection) -> None:
    errors.put(conn, ONE)
    assert [row.id for row in errors.unannounced(conn, 0)] == [ONE.id]
    errors.mark_announced(conn, [ONE.id], 20)
    assert errors.unannounced(conn, 0) == []
    errors.put(conn, ONE)
    assert [row.announced_times for row in errors.unannounced(conn, 0)] == [1]
    assert errors.unannounced(conn, 11) == []


def test_only_the_latest_places_are_kept(conn: sqlite3.Connection) -> None:
    errors.put(conn, replace(ONE, places=[ErrorPlace("update_id", str(n), 7, n) for n in range(1_200)]))

    assert conn.execute("SELECT count(*), min(at) FROM error_places").fetchone()[:] == (1_000, 200)
    assert [place.ref for place in errors.places(conn, ONE.id, 2)] == ["1199", "1198"]


def test_an_erased_person_leaves_neither_places_nor_messages(conn: sqlite3.Connection) -> None:
    other = replace(ONE, id="2222-2222", places=[ErrorPlace("turn", "t", 8, 1)])
    errors.put(conn, ONE)
    errors.put(conn, other)

    errors.forget_person(conn, 7)

    messages = {row.id: row.message for row in errors.recent(conn, 9)}
    assert messages == {ONE.id: "", other.id: "bang"}
    assert errors.places(conn, ONE.id, 9) == []
    assert len(errors.places(conn, other.id, 9)) == 1


def test_old_kinds_are_deleted_with_their_places(conn: sqlite3.Connection) -> None:
    errors.put(conn, ONE)
    errors.put(conn, replace(ONE, id="2222-2222", last_at=30, places=[]))

    assert errors.prune(conn, 20, 100) == 1

    assert [row.id for row in errors.recent(conn, 9)] == ["2222-2222"]
    assert conn.execute("SELECT count(*) FROM error_places").fetchone()[0] == 0
