"""Message ids that the bot knows."""

import sqlite3

from tgllm.db.queries import known_ids

GROUP, SUPERGROUP = -5, -1_000_000_000_005


def highest(conn: sqlite3.Connection, chat_id: int) -> int | None:
    query = f"SELECT ({known_ids.HIGHEST}) FROM (SELECT ? AS chat_id)"
    found: int | None = conn.execute(query, (chat_id,)).fetchone()[0]
    return found


def test_private_chats_and_basic_groups_are_one_sequence() -> None:
    assert known_ids.sequence_of(7) == known_ids.sequence_of(GROUP) == known_ids.ACCOUNT
    assert known_ids.sequence_of(-999_999_999_999) == known_ids.ACCOUNT
    assert known_ids.sequence_of(SUPERGROUP) == SUPERGROUP


def test_ids_of_a_sequence(conn: sqlite3.Connection) -> None:
    assert highest(conn, 7) is None
    known_ids.note(conn, [(7, 3), (GROUP, 5), (7, 5), (SUPERGROUP, 90)])
    assert highest(conn, 7) == highest(conn, GROUP) == highest(conn, -999_999_999_999) == 5
    assert highest(conn, SUPERGROUP) == 90
    assert known_ids.known_above(conn, known_ids.ACCOUNT, 3) == {5}
    assert known_ids.known_above(conn, known_ids.ACCOUNT, 2) == {3, 5}


def test_only_the_newest_are_kept(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 1), (SUPERGROUP, 1)])
    known_ids.note(conn, [(7, number) for number in range(2, known_ids.KEPT + 11)])
    kept = known_ids.known_above(conn, known_ids.ACCOUNT, 0)
    assert (min(kept), max(kept), len(kept)) == (11, known_ids.KEPT + 10, known_ids.KEPT)
    assert known_ids.known_above(conn, SUPERGROUP, 0) == {1}


def test_an_old_id_that_comes_late_removes_nothing_newer(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 5000), (7, 4500)])
    known_ids.note(conn, [(7, 10)])
    assert {4500, 5000} <= known_ids.known_above(conn, known_ids.ACCOUNT, 100)
    assert highest(conn, 7) == 5000
