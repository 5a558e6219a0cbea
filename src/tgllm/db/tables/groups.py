"""Table ``groups``: known groups, and the decision whether everyone there may use the bot."""

from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = ["Group", "GroupStatus", "get", "list_all", "move", "request", "set_status", "set_title"]

GroupStatus = Literal["pending", "active", "denied"]


@dataclass(frozen=True, slots=True)
class Group:
    """A known group; the fields are the columns of the table ``groups``."""

    id: int
    title: str
    status: GroupStatus
    requested_at: int
    requested_by: int | None
    carded_at: int | None
    """Time when the request was shown to the admins."""
    decided_at: int | None
    decided_by: int | None
    updated_at: int


def get(conn: Connection, chat_id: int) -> Group | None:
    """Return a group; None if it is unknown."""
    return read_one(Group, conn.execute("SELECT * FROM groups WHERE id = ?", (chat_id,)))


def request(conn: Connection, chat_id: int, title: str, now: int, *, by: int | None = None) -> bool:
    """Add a request for a group; return False, and change nothing, if the group is already known."""
    cursor = conn.execute(
        "INSERT INTO groups (id, title, requested_at, requested_by, updated_at) VALUES (:id, :title, :now, :by, :now)"
        " ON CONFLICT (id) DO NOTHING",
        {"id": chat_id, "title": clean(title), "now": now, "by": by},
    )
    return cursor.rowcount == 1


def set_title(conn: Connection, chat_id: int, title: str, now: int) -> None:
    """Update the title of a known group."""
    conn.execute("UPDATE groups SET title = ?, updated_at = ? WHERE id = ?", (clean(title), now, chat_id))


def set_status(
    conn: Connection, chat_id: int, status: GroupStatus, now: int, *, decided_by: int | None = None
) -> Group:
    """Set the status of a group.

    Args:
        conn: an open write transaction.
        chat_id: Telegram's chat id.
        status: the decision.
        now: UTC, in milliseconds.
        decided_by: user id of the admin; None for the shell.

    Raises:
        LookupError: the group is unknown.
    """
    cursor = conn.execute(
        "UPDATE groups SET status = :status, decided_at = :now, decided_by = :by, updated_at = :now WHERE id = :id"
        " RETURNING *",
        {"status": status, "now": now, "by": decided_by, "id": chat_id},
    )
    group = read_one(Group, cursor)
    if group is None:
        raise LookupError(f"no group {chat_id}")
    return group


def move(conn: Connection, old: int, new: int) -> None:
    """Transfer the decision on a group to the supergroup that replaces it.

    A decision on ``new`` takes precedence; a pending request of ``new`` is replaced.
    """
    if get(conn, old) is None:
        return
    conn.execute("DELETE FROM groups WHERE id = ? AND status = 'pending'", (new,))
    conn.execute(
        # Telegram's ids of groups are negative; the rules of the table refuse any other.
        "UPDATE groups SET id = :new WHERE id = :old AND CAST(:new AS BIGINT) < 0"
        " AND NOT EXISTS (SELECT 1 FROM groups AS other WHERE other.id = :new)",
        {"old": old, "new": new},
    )
    conn.execute("DELETE FROM groups WHERE id = ?", (old,))


def list_all(conn: Connection) -> list[Group]:
    """Return all groups: pending ones first, then by request time, newest first."""
    return read_all(Group, conn.execute("SELECT * FROM groups ORDER BY status <> 'pending', requested_at DESC, id"))
