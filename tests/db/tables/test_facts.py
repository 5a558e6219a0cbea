"""Facts belong to a lane."""

import sqlite3

from database_support import NOW
from tgllm.db.tables import facts


def texts(conn: sqlite3.Connection, lane: str) -> list[str]:
    return [fact.text for fact in facts.list_for(conn, lane)]


def test_each_lane_has_its_own_in_order(conn: sqlite3.Connection) -> None:
    for lane, text in ((":7:", "one"), (":7:3", "two"), (":7:", "three \ud83d")):
        facts.add(conn, lane, None, text, NOW)
    assert texts(conn, ":7:") == ["one", "three \ufffd"]
    assert texts(conn, ":7:3") == ["two"]
    assert texts(conn, ":8:") == []


def test_one_is_forgotten_in_its_own_lane_only(conn: sqlite3.Connection) -> None:
    facts.add(conn, ":7:", None, "one", NOW)
    (fact,) = facts.list_for(conn, ":7:")
    assert not facts.delete(conn, ":8:", fact.id)
    assert facts.delete(conn, ":7:", fact.id)
    assert not facts.delete(conn, ":7:", fact.id)
    assert texts(conn, ":7:") == []
