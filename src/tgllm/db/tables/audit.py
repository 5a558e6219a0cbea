"""Table ``audit``: who changed what, when and from where."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tgllm.db.engine.rows import JSON, clean_error, dumps, read_all
from tgllm.db.engine.unit import Connection

if TYPE_CHECKING:
    from tgllm.api.types import JsonObject

__all__ = ["AuditRow", "NewEntry", "add", "count", "list_recent", "prune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A change to record."""

    actor_id: int | None
    """User id of the admin; None for the program or the shell."""
    source: str
    """Where the change was made: ``telegram``, ``shell``, ``config``."""
    action: str
    """Kind of change, such as ``user.approve``."""
    target: str | None = None
    """What was changed, such as a user."""
    details: "JsonObject | None" = None
    """Values before and after; never an API key or token."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A recorded change; the fields are the columns of the table ``audit``."""

    id: int
    at: int
    actor_id: int | None
    source: str
    action: str
    target: str | None
    details: dict[str, Any] = field(metadata=JSON)


def add(conn: Connection, entry: NewEntry, now: int) -> None:
    """Record a change, in the transaction that makes it; its texts are stored without secrets."""
    from tgllm.observe.redaction import redacted_texts  # noqa: PLC0415  commands that only read store no changes

    conn.execute(
        "INSERT INTO audit (at, actor_id, source, action, target, details) VALUES (?, ?, ?, ?, ?, ?)",
        (
            now,
            entry.actor_id,
            entry.source,
            entry.action,
            clean_error(entry.target),
            dumps(redacted_texts(entry.details or {})),
        ),
    )


def list_recent(conn: Connection, limit: int, *, target: str | None = None, offset: int = 0) -> list[AuditRow]:
    """Return the latest changes, of all targets or of one, newest first; skip the first ``offset``."""
    cursor = conn.execute(
        "SELECT * FROM audit WHERE :target IS NULL OR target = :target ORDER BY id DESC LIMIT :limit OFFSET :offset",
        {"target": target, "limit": limit, "offset": offset},
    )
    return read_all(AuditRow, cursor)


def count(conn: Connection, target: str | None = None) -> int:
    """Return the number of recorded changes, of all targets or of one."""
    cursor = conn.execute("SELECT count(*) FROM audit WHERE :target IS NULL OR target = :target", {"target": target})
    return int(cursor.fetchone()[0])


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` changes made before ``before`` (UTC, milliseconds); return how many."""
    cursor = conn.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)", (before, limit)
    )
    return cursor.rowcount
