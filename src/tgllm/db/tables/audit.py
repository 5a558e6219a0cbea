"""The audit trail: who changed what, when and from where."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import JSON, clean, dumps, read_all

__all__ = ["AuditRow", "NewEntry", "add", "count", "list_recent", "prune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A change that was made."""

    actor_id: int | None
    """User id of the one who made it; None for the program or the shell."""
    source: str
    """Where it was made: ``telegram``, ``shell``, ``config``."""
    action: str
    """What was done, such as ``user.approve``."""
    target: str | None = None
    """To whom or what."""
    details: JsonObject | None = None
    """Values before and after; never a key or a token."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored change; the fields are the columns of the table ``audit``."""

    id: int
    at: int
    actor_id: int | None
    source: str
    action: str
    target: str | None
    details: dict[str, Any] = field(metadata=JSON)


def add(conn: sqlite3.Connection, entry: NewEntry, now: int) -> None:
    """Note a change, in the transaction that makes it."""
    conn.execute(
        "INSERT INTO audit (at, actor_id, source, action, target, details) VALUES (?, ?, ?, ?, ?, ?)",
        (
            now,
            entry.actor_id,
            entry.source,
            entry.action,
            None if entry.target is None else clean(entry.target),
            dumps(entry.details or {}),
        ),
    )


def list_recent(conn: sqlite3.Connection, limit: int, *, target: str | None = None, offset: int = 0) -> list[AuditRow]:
    """The latest changes, of everything or of one target, the latest first; ``offset`` of them are left out."""
    cursor = conn.execute(
        "SELECT * FROM audit WHERE :target IS NULL OR target = :target ORDER BY id DESC LIMIT :limit OFFSET :offset",
        {"target": target, "limit": limit, "offset": offset},
    )
    return read_all(AuditRow, cursor)


def count(conn: sqlite3.Connection, target: str | None = None) -> int:
    """How many changes are noted, of everything or of one target."""
    cursor = conn.execute("SELECT count(*) FROM audit WHERE :target IS NULL OR target = :target", {"target": target})
    return int(cursor.fetchone()[0])


def prune(conn: sqlite3.Connection, before: int, limit: int) -> int:
    """Forget up to ``limit`` changes that were made before ``before`` (UTC, milliseconds); returns how many."""
    cursor = conn.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)", (before, limit)
    )
    return cursor.rowcount
