"""Table ``question_times``: when people have asked lately, for the rate limit of all replicas together.

Empty where there is one process only, which has the times in memory.
"""

from typing import Literal

from tgllm.db.engine.unit import Connection

__all__ = ["add", "count", "forget", "prune", "prune_of"]

Kind = Literal["question", "warning"]
"""``warning``: a notice that there were too many."""


def add(conn: Connection, user_id: int, kind: Kind, now: int) -> None:
    """Add a question or a warning of a person, at a time in UTC milliseconds."""
    conn.execute("INSERT INTO question_times (user_id, at, kind) VALUES (?, ?, ?)", (user_id, now, kind))


def count(conn: Connection, user_id: int, kind: Kind, after: int) -> int:
    """Return how many a person has after a time."""
    query = "SELECT count(*) FROM question_times WHERE user_id = ? AND kind = ? AND at > ?"
    return int(conn.execute(query, (user_id, kind, after)).fetchone()[0])


def prune_of(conn: Connection, user_id: int, before: int) -> None:
    """Delete those of a person until a time."""
    conn.execute("DELETE FROM question_times WHERE user_id = ? AND at <= ?", (user_id, before))


def forget(conn: Connection, user_id: int) -> None:
    """Delete all of a person."""
    conn.execute("DELETE FROM question_times WHERE user_id = ?", (user_id,))


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` of all people until a time; return their number."""
    old = "SELECT id FROM question_times WHERE at <= ? ORDER BY at LIMIT ?"
    return conn.execute(f"DELETE FROM question_times WHERE id IN ({old})", (before, limit)).rowcount  # noqa: S608 (a constant)
