"""The audit trail says who changed what."""

import sqlite3

from database_support import NOW
from tgllm.db.tables import audit
from tgllm.db.tables.audit import NewEntry


def test_changes_are_listed_the_latest_first(conn: sqlite3.Connection) -> None:
    audit.add(
        conn, NewEntry(actor_id=1, source="telegram", action="user.approve", target="7", details={"role": "user"}), NOW
    )
    audit.add(conn, NewEntry(actor_id=None, source="shell", action="models.sync"), NOW + 1)
    latest, first = audit.list_recent(conn, 10)
    assert (latest.action, latest.actor_id, latest.target, latest.details) == ("models.sync", None, None, {})
    assert (first.at, first.actor_id, first.source, first.details) == (NOW, 1, "telegram", {"role": "user"})
    assert audit.list_recent(conn, 1) == [latest]
    assert audit.list_recent(conn, 10, target="7") == [first]


def test_changes_are_read_in_pages(conn: sqlite3.Connection) -> None:
    for number in range(5):
        audit.add(conn, NewEntry(actor_id=1, source="telegram", action=f"a{number}", target=str(number % 2)), NOW)
    assert [row.action for row in audit.list_recent(conn, 2, offset=2)] == ["a2", "a1"]
    assert [row.action for row in audit.list_recent(conn, 2, target="0", offset=1)] == ["a2", "a0"]
    assert (audit.count(conn), audit.count(conn, "0"), audit.count(conn, "x")) == (5, 3, 0)
