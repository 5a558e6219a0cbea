"""Table ``invites``: links that give access without a decision on each user."""

from dataclasses import dataclass

from tgllm.db.engine.rows import read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = ["Invite", "create", "find", "get", "list_open", "prune", "revoke", "use"]


@dataclass(frozen=True, slots=True)
class Invite:
    """An invite link; the fields are the columns of the table ``invites``."""

    id: int
    token_hash: str
    uses: int
    uses_left: int
    expires_at: int
    created_by: int | None
    created_at: int

    def works(self, now: int) -> bool:
        """Return whether it has uses left and is not expired at ``now`` (UTC, milliseconds)."""
        return self.uses_left > 0 and now < self.expires_at


def create(
    conn: Connection, token_hash: str, uses: int, expires_at: int, now: int, *, created_by: int | None = None
) -> Invite:
    """Store a new link.

    Args:
        conn: an open write transaction.
        token_hash: SHA-256 of its token, in hex.
        uses: how many users it can approve.
        expires_at: end of its validity; UTC, in milliseconds.
        now: UTC, in milliseconds.
        created_by: user id of the admin; None for the shell.
    """
    cursor = conn.execute(
        "INSERT INTO invites (token_hash, uses, uses_left, expires_at, created_by, created_at)"
        " VALUES (:hash, :uses, :uses, :expires_at, :by, :now) RETURNING *",
        {"hash": token_hash, "uses": uses, "expires_at": expires_at, "by": created_by, "now": now},
    )
    invite = read_one(Invite, cursor)
    assert invite is not None  # noqa: S101  an INSERT with RETURNING gives the row
    return invite


def find(conn: Connection, token_hash: str) -> Invite | None:
    """Return the link with that token; None if there is none."""
    return read_one(Invite, conn.execute("SELECT * FROM invites WHERE token_hash = ?", (token_hash,)))


def get(conn: Connection, invite_id: int) -> Invite | None:
    """Return a link; None if there is none with that id."""
    return read_one(Invite, conn.execute("SELECT * FROM invites WHERE id = ?", (invite_id,)))


def use(conn: Connection, invite_id: int, now: int) -> bool:
    """Count one use; return False, and change nothing, if the link is used up or expired."""
    cursor = conn.execute(
        "UPDATE invites SET uses_left = uses_left - 1 WHERE id = ? AND uses_left > 0 AND expires_at > ?",
        (invite_id, now),
    )
    return cursor.rowcount == 1


def revoke(conn: Connection, invite_id: int) -> bool:
    """Revoke a link; return False if it does not exist or has no uses left."""
    cursor = conn.execute("UPDATE invites SET uses_left = 0 WHERE id = ? AND uses_left > 0", (invite_id,))
    return cursor.rowcount == 1


def list_open(conn: Connection, now: int) -> list[Invite]:
    """Return the links that are valid at ``now``, newest first."""
    cursor = conn.execute("SELECT * FROM invites WHERE uses_left > 0 AND expires_at > ? ORDER BY id DESC", (now,))
    return read_all(Invite, cursor)


def prune(conn: Connection, before: int) -> int:
    """Delete links that expired before ``before``; return how many."""
    return conn.execute("DELETE FROM invites WHERE expires_at < ?", (before,)).rowcount
