"""Table ``tool_calls``: calls that wait for an approval, and the number of a person's calls in a day."""

from collections.abc import Collection
from typing import Literal

from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools.calls import CallState, StoredCall

__all__ = ["abandon", "begin_wait", "count_since", "decide", "expire", "is_at_work", "like_waiting", "states"]

_LONGEST_WAIT = 2 * 24 * 60 * 60 * 1000
"""Time in ms between a call of a model and its start; longer than any approval may take. It bounds an index search."""


def begin_wait(
    conn: Connection, call_id: int, approver: Literal["asker", "admins"], mark: int, expires_at: int
) -> None:
    """Let a call wait for an approval."""
    conn.execute(
        "UPDATE tool_calls SET state = 'waiting', approver = ?, mark = ?, expires_at = ? WHERE id = ?",
        (approver, mark, expires_at, call_id),
    )


def decide(conn: Connection, call_id: int, state: Literal["approved", "denied"], by: int, now: int) -> bool:
    """Approve or deny a waiting call; return False, and change nothing, if it does not wait."""
    cursor = conn.execute(
        "UPDATE tool_calls SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? AND state = 'waiting'",
        (state, by, now, call_id),
    )
    return cursor.rowcount == 1


def expire(conn: Connection, now: int) -> list[StoredCall]:
    """Set the calls to ``expired`` that have waited for too long, and return them."""
    cursor = conn.execute(
        "UPDATE tool_calls SET state = 'expired' WHERE state = 'waiting' AND expires_at <= ? RETURNING *", (now,)
    )
    return sorted(read_all(StoredCall, cursor), key=lambda call: call.id)


def abandon(conn: Connection, now: int) -> list[StoredCall]:
    """End the calls whose turn is over, though they have not ended; return those that had a card.

    A turn that an update has started is named after it, and is over once the update is.
    """
    cursor = conn.execute(
        "UPDATE tool_calls SET finished_at = ?, state = CASE state WHEN 'running' THEN 'unknown' ELSE 'stopped' END"
        " WHERE state IN ('asked', 'waiting', 'approved', 'running') AND NOT EXISTS ("
        "     SELECT 1 FROM inbox WHERE update_id = CAST(substr(turn_id, 2) AS INTEGER)"
        "     AND inbox.state IN ('queued', 'running', 'merged')"
        " ) AND turn_id GLOB 'u[-0-9]*' RETURNING *",
        (now,),
    )
    return sorted(
        (call for call in read_all(StoredCall, cursor) if call.approver is not None), key=lambda call: call.id
    )


def like_waiting(conn: Connection, call: StoredCall, *, everywhere: bool) -> list[StoredCall]:
    """Return the other waiting calls of the same tool by the same person.

    Args:
        conn: an open connection.
        call: a call.
        everywhere: in all lanes, or only in that of the call.
    """
    cursor = conn.execute(
        "SELECT * FROM tool_calls WHERE state = 'waiting' AND (tool, plugin_id, user_id) = (?, ?, ?)"
        " AND (? = 1 OR lane = ?) AND id <> ? ORDER BY id",
        (call.tool, call.plugin_id, call.user_id, everywhere, call.lane, call.id),
    )
    return read_all(StoredCall, cursor)


def states(conn: Connection, ids: Collection[int]) -> dict[int, tuple[CallState, int | None]]:
    """Return the state of each call, and when its card stops working."""
    cursor = conn.execute(
        "SELECT id, state, expires_at FROM tool_calls WHERE id IN (SELECT value FROM json_each(?))",
        (dumps(sorted(ids)),),
    )
    return {int(row[0]): (row[1], row[2]) for row in cursor}


def count_since(conn: Connection, tool: str, user_id: int, since: int) -> int:
    """Return how many calls of a tool a person has started since a time, in UTC milliseconds."""
    cursor = conn.execute(
        "SELECT count(*) FROM tool_calls WHERE user_id = ? AND created_at >= ? AND tool = ? AND started_at >= ?",
        (user_id, since - _LONGEST_WAIT, tool, since),
    )
    return int(cursor.fetchone()[0])


_AT_WORK = """
    SELECT EXISTS (
        SELECT 1 FROM inbox WHERE state IN ('queued', 'running') AND (control = 1 OR lane NOT IN (
            SELECT lane FROM tool_calls AS waiting WHERE state = 'waiting' AND NOT EXISTS (
                SELECT 1 FROM tool_calls AS other
                WHERE other.turn_id = waiting.turn_id AND other.state IN ('asked', 'approved', 'running')
            ) AND EXISTS (
                SELECT 1 FROM inbox AS asking
                WHERE asking.state = 'running' AND 'u' || asking.update_id = waiting.turn_id
            )
        ))
    )
"""


def is_at_work(conn: Connection) -> bool:
    """Return whether updates are queued or running, apart from lanes whose running turn waits for an approval."""
    return bool(conn.execute(_AT_WORK).fetchone()[0])
