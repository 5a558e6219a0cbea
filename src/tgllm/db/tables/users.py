"""Table ``users``: known users, their roles and their access."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tgllm.db.engine.rows import BOOL, clean, dumps, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "OwnerChanges",
    "Role",
    "SeenUser",
    "Status",
    "User",
    "admins",
    "differs",
    "ensure_owners",
    "expire",
    "get",
    "has_expired",
    "list_all",
    "register_pending",
    "set_role",
    "set_status",
    "upsert_seen",
]

Role = Literal["owner", "admin", "user", "guest"]
Status = Literal["pending", "active", "denied", "blocked"]


@dataclass(frozen=True, slots=True)
class SeenUser:
    """A user as described in a Telegram update."""

    id: int
    username: str | None = None
    first_name: str = ""
    last_name: str | None = None
    language_code: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A known user; the fields are the columns of the table ``users``."""

    id: int
    username: str | None
    first_name: str
    last_name: str | None
    language_code: str | None
    role: Role
    status: Status
    is_active: bool = field(metadata=BOOL)
    """Whether the status is ``active``; regardless of ``expires_at``: see ``may_use``."""
    requested_at: int | None
    reason: str | None
    carded_at: int | None
    """Time when the request was shown to the admins."""
    decided_at: int | None
    decided_by: int | None
    expires_at: int | None
    created_at: int
    updated_at: int

    def may_use(self, now: int) -> bool:
        """Return whether the user has access at ``now`` (UTC, milliseconds): active and not expired."""
        return self.is_active and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class OwnerChanges:
    """Changes made by ``ensure_owners``, as user ids."""

    added: Sequence[int]
    removed: Sequence[int]


def get(conn: Connection, user_id: int) -> User | None:
    """Return a user; None if the id is unknown."""
    return read_one(User, conn.execute("SELECT * FROM users WHERE id = ?", (user_id,)))


_SEEN = """
    INSERT INTO users (id, username, first_name, last_name, language_code, created_at, updated_at)
    VALUES (:id, :username, :first_name, :last_name, :language_code, :now, :now)
    ON CONFLICT (id) DO UPDATE
    SET username = excluded.username, first_name = excluded.first_name, last_name = excluded.last_name,
        language_code = excluded.language_code, updated_at = excluded.updated_at
    WHERE (users.username, users.first_name, users.last_name, users.language_code)
       IS NOT (excluded.username, excluded.first_name, excluded.last_name, excluded.language_code)
"""


def upsert_seen(conn: Connection, seen: SeenUser, now: int) -> User:
    """Insert or update the names and language of a user. A new user is a pending guest; access is never changed here.

    Nothing is written if nothing has changed.
    """
    values = {
        "id": seen.id,
        "username": seen.username,
        "first_name": clean(seen.first_name),
        "last_name": None if seen.last_name is None else clean(seen.last_name),
        "language_code": seen.language_code,
        "now": now,
    }
    conn.execute(_SEEN, values)
    return _known(conn, seen.id)


def register_pending(conn: Connection, user_id: int, now: int, reason: str | None = None) -> bool:
    """Record that a pending user asks for access; return True the first time, when the admins must be notified."""
    cursor = conn.execute(
        "UPDATE users SET requested_at = :now, reason = :reason, carded_at = NULL, updated_at = :now"
        " WHERE id = :id AND status = 'pending' AND requested_at IS NULL",
        {"id": user_id, "now": now, "reason": None if reason is None else clean(reason)},
    )
    return cursor.rowcount == 1


def set_status(
    conn: Connection,
    user_id: int,
    status: Status,
    now: int,
    *,
    decided_by: int | None = None,
    expires_at: int | None = None,
) -> User:
    """Set the status of a user's access.

    Args:
        conn: an open write transaction.
        user_id: Telegram's user id.
        status: the decision; with ``pending``, the user can ask again.
        now: UTC in milliseconds.
        decided_by: user id of the admin; None for the configuration or the shell.
        expires_at: end of the access, UTC in milliseconds; None for never.

    Raises:
        LookupError: the user is unknown.
        sqlite3.IntegrityError: the user is an owner, and owners are always active; remove the user from the configured
            admins first.
    """
    conn.execute(
        "UPDATE users SET status = :status, decided_at = :now, decided_by = :by, expires_at = :expires_at,"
        " requested_at = CASE WHEN :status = 'pending' THEN NULL ELSE requested_at END, reason = NULL,"
        " updated_at = :now"
        " WHERE id = :id",
        {"status": status, "now": now, "by": decided_by, "expires_at": expires_at, "id": user_id},
    )
    return _known(conn, user_id)


def set_role(conn: Connection, user_id: int, role: Role, now: int) -> User:
    """Set the role of a user.

    Raises:
        LookupError: the user is unknown.
        sqlite3.IntegrityError: only an active user can be an owner.
    """
    conn.execute("UPDATE users SET role = ?, updated_at = ? WHERE id = ?", (role, now, user_id))
    return _known(conn, user_id)


def ensure_owners(conn: Connection, ids: Collection[int], now: int) -> OwnerChanges:
    """Make exactly these users owners, active and without expiry, as the configuration says.

    A former owner who is not in ``ids`` gets the role ``user`` and stays active.
    """
    removed = conn.execute(
        "UPDATE users SET role = 'user', updated_at = ? WHERE role = 'owner'"
        " AND id NOT IN (SELECT value FROM json_each(?)) RETURNING id",
        (now, dumps(sorted(ids))),
    ).fetchall()
    added = [user_id for user_id in sorted(ids) if _make_owner(conn, user_id, now)]
    return OwnerChanges(added, sorted(int(row[0]) for row in removed))


def _make_owner(conn: Connection, user_id: int, now: int) -> bool:
    cursor = conn.execute(
        "INSERT INTO users (id, role, status, decided_at, created_at, updated_at)"
        " VALUES (:id, 'owner', 'active', :now, :now, :now)"
        " ON CONFLICT (id) DO UPDATE SET role = 'owner', status = 'active', decided_at = :now, decided_by = NULL,"
        " expires_at = NULL, updated_at = :now WHERE users.role <> 'owner' OR users.expires_at IS NOT NULL",
        {"id": user_id, "now": now},
    )
    return cursor.rowcount == 1


def differs(user: User, seen: SeenUser) -> bool:
    """Return whether the names or the language of a user differ from the stored ones."""
    stored = (user.username, user.first_name, user.last_name, user.language_code)
    last_name = None if seen.last_name is None else clean(seen.last_name)
    return stored != (seen.username, clean(seen.first_name), last_name, seen.language_code)


def admins(conn: Connection, now: int) -> list[User]:
    """Return the owners and admins who have access at ``now`` (UTC, milliseconds), by id."""
    cursor = conn.execute(
        "SELECT * FROM users WHERE status = 'active' AND role IN ('owner', 'admin')"
        " AND (expires_at IS NULL OR expires_at > ?) ORDER BY id",
        (now,),
    )
    return read_all(User, cursor)


def expire(conn: Connection, now: int, user_id: int | None = None) -> list[User]:
    """End the expired access of all users or of one; they can ask again. Return the changed users."""
    cursor = conn.execute(
        "UPDATE users SET status = 'pending', requested_at = NULL, expires_at = NULL, updated_at = :now"
        " WHERE expires_at <= :now AND status = 'active' AND (:id IS NULL OR id = :id) RETURNING *",
        {"now": now, "id": user_id},
    )
    return read_all(User, cursor)


def has_expired(conn: Connection, now: int) -> bool:
    """Return whether the access of any user has expired."""
    cursor = conn.execute("SELECT 1 FROM users WHERE expires_at <= ? AND status = 'active' LIMIT 1", (now,))
    return cursor.fetchone() is not None


def list_all(conn: Connection, status: Status | None = None) -> list[User]:
    """Return all users, or those with one status: by request time, then by id."""
    cursor = conn.execute(
        "SELECT * FROM users WHERE :status IS NULL OR status = :status ORDER BY requested_at IS NULL, requested_at, id",
        {"status": status},
    )
    return read_all(User, cursor)


def _known(conn: Connection, user_id: int) -> User:
    user = get(conn, user_id)
    if user is None:
        raise LookupError(f"no user {user_id}")
    return user
