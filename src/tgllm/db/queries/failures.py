"""Recent failures of model calls, updates and outgoing messages, with the ids that the log uses."""

from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection

__all__ = ["Failure", "count", "recent"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed model call, update or Bot API call, or unexpected errors that ended neither a turn nor an update."""

    kind: Literal["turn", "update_id", "outbox", "error_id"]
    """Field of the log that holds the id: a turn, an update, an outbox row or an error."""
    id: str
    at: int
    """Time of the failure, UTC in milliseconds; of an outbox row, the time it was added."""
    what: str
    """The model, the type of update or the method of the Bot API."""
    error: str
    """Error text, as in the log; may be empty."""
    error_id: str | None
    """Code of the unexpected error, if it is one."""


# Each part but the last uses a partial index that contains only failures. There are few kinds of errors.
_ALL = """
    SELECT 'turn' AS kind, turn_id AS id, created_at AS at, provider || '/' || model AS what,
           coalesce(error_code, status) || coalesce(': ' || error_text, '') AS error,
           (SELECT error_id FROM error_places AS place WHERE place.kind = 'turn' AND place.ref = turn_id) AS error_id
    FROM requests WHERE status IN ('failed', 'interrupted')
    UNION ALL
    SELECT 'update_id', CAST(update_id AS TEXT), finished_at, kind, coalesce(error, state),
           (SELECT error_id FROM error_places AS place
            WHERE place.kind = 'update_id' AND place.ref = CAST(update_id AS TEXT))
    FROM inbox WHERE state IN ('failed', 'quarantined')
    UNION ALL
    SELECT 'outbox', CAST(id AS TEXT), created_at, method, coalesce(error, state), NULL
    FROM outbox WHERE state = 'failed'
    UNION ALL
    SELECT 'error_id', id, last_at, coalesce(plugin || ': ', '') || event,
           kind || coalesce(': ' || nullif(message, ''), ''), id
    FROM errors WHERE NOT EXISTS (SELECT 1 FROM error_places WHERE error_id = errors.id)
"""


def recent(conn: Connection, limit: int, offset: int = 0) -> list[Failure]:
    """Return the latest failures, newest first."""
    cursor = conn.execute(f"{_ALL} ORDER BY at DESC, kind, id DESC LIMIT ? OFFSET ?", (limit, offset))
    return read_all(Failure, cursor)


def count(conn: Connection) -> int:
    """Return the number of stored failures."""
    return int(conn.execute(f"SELECT count(*) FROM ({_ALL})").fetchone()[0])  # noqa: S608 (constants)
