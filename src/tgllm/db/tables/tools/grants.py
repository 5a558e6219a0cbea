"""Table ``tool_grants``: approvals of further calls of a tool by a person."""

from dataclasses import dataclass

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection

__all__ = ["Grant", "covering", "delete", "forget", "of_person", "prune", "put"]


@dataclass(frozen=True, slots=True)
class Grant:
    """An approval of further calls; the fields are the columns of the table ``tool_grants``."""

    tool: str
    plugin_id: str
    user_id: int
    """Whose calls are approved."""
    lane: str
    """The chat or topic; empty: everywhere."""
    until: int | None
    """When it ends; None: never."""
    granted_by: int
    created_at: int


def put(conn: Connection, grant: Grant) -> None:
    """Store an approval, in place of an earlier one for the same tool, person and chat."""
    conn.execute(
        "INSERT INTO tool_grants (tool, plugin_id, user_id, lane, until, granted_by, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tool, plugin_id, user_id, lane) DO UPDATE SET"
        " until = excluded.until, granted_by = excluded.granted_by, created_at = excluded.created_at",
        (grant.tool, grant.plugin_id, grant.user_id, grant.lane, grant.until, grant.granted_by, grant.created_at),
    )


def covering(conn: Connection, tool: str, plugin_id: str, user_id: int, lane: str, now: int) -> list[Grant]:
    """Return the approvals that hold for a call of a person in a lane."""
    cursor = conn.execute(
        "SELECT * FROM tool_grants WHERE (tool, plugin_id, user_id) = (?, ?, ?) AND lane IN ('', ?)"
        " AND (until IS NULL OR until > ?)",
        (tool, plugin_id, user_id, lane, now),
    )
    return read_all(Grant, cursor)


def of_person(conn: Connection, user_id: int, now: int) -> list[Grant]:
    """Return the approvals that hold for a person, oldest first."""
    cursor = conn.execute(
        "SELECT * FROM tool_grants WHERE user_id = ? AND (until IS NULL OR until > ?)"
        " ORDER BY created_at, tool, plugin_id, lane",
        (user_id, now),
    )
    return read_all(Grant, cursor)


def delete(conn: Connection, tool: str, plugin_id: str, user_id: int, lane: str) -> bool:
    """Delete an approval; return False if there is none."""
    cursor = conn.execute(
        "DELETE FROM tool_grants WHERE (tool, plugin_id, user_id, lane) = (?, ?, ?, ?)",
        (tool, plugin_id, user_id, lane),
    )
    return cursor.rowcount == 1


def forget(conn: Connection, user_id: int) -> int:
    """Delete the approvals for a person, and return how many there were."""
    return conn.execute("DELETE FROM tool_grants WHERE user_id = ?", (user_id,)).rowcount


def prune(conn: Connection, now: int) -> None:
    """Delete the approvals that have ended."""
    conn.execute("DELETE FROM tool_grants WHERE until <= ?", (now,))
