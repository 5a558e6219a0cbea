"""Failed attempts at the admin password: after three, a lockout whose duration doubles each time.

Attempts are stored in the database, so that neither a restart nor ``/forget`` resets them.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["MOST_TRIES", "Tries", "count_try", "forgive", "tries_of"]

MOST_TRIES: Final = 3
LONGEST_LOCKOUT: Final = 24 * 60 * 60 * 1000
"""Milliseconds."""

_SCOPE = "admin_tries"


@dataclass(frozen=True, slots=True)
class Tries:
    """Failed attempts of an admin since the last correct answer."""

    wrong: int = 0
    """Attempts since the last lockout."""
    lockouts: int = 0
    locked_until: int = 0
    """UTC in milliseconds."""

    @property
    def left(self) -> int:
        """Attempts left until the next lockout."""
        return MOST_TRIES - self.wrong

    def is_locked(self, now: int) -> bool:
        """Whether a lockout is in effect."""
        return now < self.locked_until


def tries_of(conn: Connection, user_id: int) -> Tries:
    """Return the failed attempts of an admin."""
    value = cast("dict[str, Any]", kv.get(conn, _SCOPE, _key(user_id)) or {})
    return Tries(value.get("wrong", 0), value.get("lockouts", 0), value.get("locked_until", 0))


def count_try(conn: Connection, user_id: int, lockout: int, now: int) -> Tries:
    """Count an attempt. Call this before the answer is checked, so that a crash in between can't skip the count.

    Args:
        conn: an open write transaction.
        user_id: Telegram id of the admin.
        lockout: duration of the first lockout in milliseconds.
        now: UTC in milliseconds.
    """
    tries = tries_of(conn, user_id)
    tries = Tries(tries.wrong + 1, tries.lockouts, tries.locked_until)
    if tries.wrong >= MOST_TRIES:
        length = min(LONGEST_LOCKOUT, lockout * 2 ** min(tries.lockouts, 20))
        tries = Tries(0, tries.lockouts + 1, now + length)
    value = {"wrong": tries.wrong, "lockouts": tries.lockouts, "locked_until": tries.locked_until}
    kv.set_value(conn, _SCOPE, _key(user_id), value, now)
    return tries


def forgive(conn: Connection, user_id: int) -> None:
    """Reset the attempts after a correct answer."""
    kv.delete(conn, _SCOPE, _key(user_id))


def _key(user_id: int) -> str:
    # /forget deletes rows whose key is the bare user id; this one stays.
    return f"user:{user_id}"
