"""Facts count in their lane, or in all lanes of their owner."""

import sqlite3

from database_support import NOW
from tgllm.db.tables import facts
from tgllm.db.tables.facts import NewFact


def add(conn: sqlite3.Connection, lane: str, text: str, owner: int | None = None) -> None:
    facts.add(conn, NewFact(lane=lane, owner=owner, user_id=None, text=text), NOW)


def texts(conn: sqlite3.Connection, lane: str, owner: int | None = None) -> list[str]:
    return [fact.text for fact in facts.list_for(conn, lane, owner)]


def test_each_lane_has_its_own_in_order(conn: sqlite3.Connection) -> None:
    for lane, text in ((":7:", "one"), (":7:3", "two"), (":7:", "three \ud83d")):
        add(conn, lane, text)
    assert texts(conn, ":7:", 7) == ["one", "three \ufffd"]
    assert texts(conn, ":7:3") == ["two"]
    assert texts(conn, ":8:", 8) == []


def test_those_with_an_owner_count_in_all_its_lanes(conn: sqlite3.Connection) -> None:
    add(conn, ":7:", "one", 7)
    add(conn, ":7:3", "two", 7)
    assert texts(conn, ":7:4", 7) == ["one", "two"]
    assert texts(conn, ":8:", 8) == []


def test_one_is_deleted_where_it_counts_only(conn: sqlite3.Connection) -> None:
    add(conn, ":7:", "one", 7)
    (fact,) = facts.list_for(conn, ":7:", 7)
    assert not facts.delete(conn, ":8:", 8, fact.id)
    assert not facts.delete(conn, ":8:", None, fact.id)
    assert facts.delete(conn, ":7:3", 7, fact.id)
    assert not facts.delete(conn, ":7:", 7, fact.id)
    assert texts(conn, ":7:", 7) == []
