"""What went wrong lately: calls of a model, updates and messages, with the ids under which the log has them."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import read_all

__all__ = ["Failure", "count", "recent"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed."""

    kind: Literal["turn", "update_id", "outbox"]
    """What the log calls the id: a turn, an update or a message that was to be sent."""
    id: str
    at: int
    """When, UTC in milliseconds; of a message, when it was decided."""
    what: str
    """The model, the type of update or the method of the Bot API."""
    error: str
    """For logs; may be empty."""


# Each part reads a partial index that holds nothing but failures.
_ALL = """
    SELECT 'turn' AS kind, turn_id AS id, created_at AS at, provider || '/' || model AS what,
           coalesce(error_code, status) || coalesce(': ' || error_text, '') AS error
    FROM requests WHERE status IN ('failed', 'interrupted')
    UNION ALL
    SELECT 'update_id', CAST(update_id AS TEXT), finished_at, kind, coalesce(error, state)
    FROM inbox WHERE state IN ('failed', 'quarantined')
    UNION ALL
    SELECT 'outbox', CAST(id AS TEXT), created_at, method, coalesce(error, state)
    FROM outbox WHERE state = 'failed'
"""


def recent(conn: sqlite3.Connection, limit: int, offset: int = 0) -> list[Failure]:
    """What failed last, the latest first."""
    cursor = conn.execute(f"{_ALL} ORDER BY at DESC, kind, id DESC LIMIT ? OFFSET ?", (limit, offset))
    return read_all(Failure, cursor)


def count(conn: sqlite3.Connection) -> int:
    """How many failures are kept."""
    return int(conn.execute(f"SELECT count(*) FROM ({_ALL})").fetchone()[0])  # noqa: S608 (constants)
