"""Wrong tries at the admin password: three of them, then a lockout that doubles each time.

They are counted in the database, so that no restart gives back a try. ``/forget`` leaves them.
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
    """What somebody has tried since their last right password."""

    wrong: int = 0
    """Since the last lockout."""
    lockouts: int = 0
    locked_until: int = 0
    """UTC in milliseconds."""

    @property
    def left(self) -> int:
        """Tries until the next lockout."""
        return MOST_TRIES - self.wrong

    def is_locked(self, now: int) -> bool:
        """Whether no password is taken."""
        return now < self.locked_until


def tries_of(conn: Connection, user_id: int) -> Tries:
    """What somebody has tried."""
    value = cast("dict[str, Any]", kv.get(conn, _SCOPE, _key(user_id)) or {})
    return Tries(value.get("wrong", 0), value.get("lockouts", 0), value.get("locked_until", 0))


def count_try(conn: Connection, user_id: int, lockout: int, now: int) -> Tries:
    """Count a try before it is looked at, so that the end of the program in between does not make it free.

    Args:
        conn: an open write transaction.
        user_id: who tries.
        lockout: milliseconds of the first lockout.
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
    """Begin anew, after a right password."""
    kv.delete(conn, _SCOPE, _key(user_id))


def _key(user_id: int) -> str:
    # Rows whose key is the id alone are a person's own and go with /forget.
    return f"user:{user_id}"
