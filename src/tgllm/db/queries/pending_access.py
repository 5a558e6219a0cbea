"""Undecided access requests of people and groups."""

from dataclasses import dataclass, field
from typing import Literal

from tgllm.db.engine.unit import Connection

__all__ = ["Waiting", "count_cards", "decline_all", "drop_old", "has_unseen", "mark_carded", "waiting"]

Table = Literal["users", "groups"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Number of undecided requests."""

    people: int
    groups: int
    unseen: int
    """Requests of people and groups that the admins have not seen yet."""
    unseen_groups: int = field(default=0, compare=False)
    """Those of groups."""

    @property
    def unseen_people(self) -> int:
        """Requests of people that the admins have not seen yet."""
        return self.unseen - self.unseen_groups


_PENDING = "status = 'pending' AND requested_at IS NOT NULL"


def waiting(conn: Connection) -> Waiting:
    """Return the number of undecided requests."""
    people, unseen_people = _counts(conn, "users")
    groups, unseen_groups = _counts(conn, "groups")
    return Waiting(people, groups, unseen_people + unseen_groups, unseen_groups)


def _counts(conn: Connection, table: Table) -> tuple[int, int]:
    row = conn.execute(
        f"SELECT count(*), count(*) FILTER (WHERE carded_at IS NULL) FROM {table} WHERE {_PENDING}"  # noqa: S608 (constants)
    ).fetchone()
    return int(row[0]), int(row[1])


def has_unseen(conn: Connection, since: int) -> bool:
    """Return whether there is a request made after ``since`` (UTC, milliseconds) that the admins have not seen."""
    unseen = f"{_PENDING} AND requested_at > :since AND carded_at IS NULL"
    cursor = conn.execute(
        f"SELECT EXISTS (SELECT 1 FROM users WHERE {unseen}) OR EXISTS (SELECT 1 FROM groups WHERE {unseen})",  # noqa: S608 (constants)
        {"since": since},
    )
    return bool(cursor.fetchone()[0])


def count_cards(conn: Connection, since: int) -> int:
    """Return how many requests were shown to the admins after ``since`` (UTC, milliseconds)."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM users WHERE carded_at > :since)"
        " + (SELECT count(*) FROM groups WHERE carded_at > :since)",
        {"since": since},
    ).fetchone()
    return int(row[0])


def mark_carded(conn: Connection, table: Table, row_id: int, now: int) -> None:
    """Record that a request was shown to the admins."""
    conn.execute(f"UPDATE {table} SET carded_at = ? WHERE id = ?", (now, row_id))  # noqa: S608 (constants)


# A user with stored messages, such as those in a group, keeps their row and may ask again.
_LINKED = "EXISTS (SELECT 1 FROM messages WHERE user_id = users.id)"


def drop_old(conn: Connection, before: int) -> int:
    """Delete undecided requests made before ``before`` (UTC, milliseconds); return how many."""
    old = f"{_PENDING} AND requested_at < :before"
    kept = conn.execute(
        f"UPDATE users SET requested_at = NULL, reason = NULL WHERE {old} AND {_LINKED}",  # noqa: S608 (constants)
        {"before": before},
    ).rowcount
    people = conn.execute(f"DELETE FROM users WHERE {old}", {"before": before}).rowcount  # noqa: S608 (constants)
    groups = conn.execute(f"DELETE FROM groups WHERE {old}", {"before": before}).rowcount  # noqa: S608 (constants)
    return kept + people + groups


def decline_all(conn: Connection, now: int, by: int | None) -> int:
    """Deny all pending requests of people; return how many. ``by`` is the admin's user id; None for the shell."""
    change = "status = 'denied', decided_at = :now, decided_by = :by, reason = NULL, updated_at = :now"
    cursor = conn.execute(f"UPDATE users SET {change} WHERE {_PENDING}", {"now": now, "by": by})  # noqa: S608 (constants)
    return cursor.rowcount
