"""Errors of the server, each with a message that says what to do."""

import sqlite3
from typing import Final

import psycopg
from psycopg import errors

from tgllm.api.errors import DatabaseError

__all__ = ["Conflict", "ConstraintViolated", "ReplicaLost", "explain"]


class ConstraintViolated(sqlite3.IntegrityError):
    """Row that violates a constraint of the schema: one class for both kinds of databases."""


class Conflict(DatabaseError):
    """Transaction that can't be put in an order with another one, and runs again."""

    default_code = "database_conflict"


class ReplicaLost(DatabaseError):
    """Write of a process that others have given up, because its sign of life was overdue."""

    default_code = "replica_lost"


_AWAY: Final = (
    "The database server {place} can't be reached ({reason}). Check that it runs and that this machine may connect to "
    "it; the bot tries again and continues by itself."
)
_REFUSED: Final = (
    "The database server {place} refuses the connection ({reason}). Check user, password and database of database.url."
)
_RIGHTS: Final = (
    "The user of {place} may not do what the bot needs ({reason}). Make it the owner of the database, or grant it all "
    "rights on its schema."
)
_FULL: Final = "The disk of the database server {place} is full. Free some space there; nothing is lost."
_READ_ONLY: Final = (
    "The database server {place} accepts no writes: it may be a standby. Set database.url to the primary server."
)
_LOCKED: Final = "{place} stayed locked by another transaction for too long ({reason}). End it and try again."
_DAMAGED: Final = "The database server {place} reports damaged data ({reason}). Restore a backup."

# PostgreSQL, appendix A: SQLSTATE, or its first two characters for a whole class.
_BY_STATE: Final[dict[str, tuple[str, str]]] = {
    "08": ("database_away", _AWAY),
    "57P": ("database_away", _AWAY),
    "25P03": ("database_away", _AWAY),
    "25P04": ("database_away", _AWAY),
    "53300": ("database_away", _AWAY),
    "28": ("database_refused", _REFUSED),
    "3D": ("database_refused", _REFUSED),
    "42501": ("database_refused", _RIGHTS),
    "53100": ("database_full", _FULL),
    "53": ("database_away", _AWAY),
    "58": ("database_disk", _DAMAGED),
    "25006": ("database_read_only", _READ_ONLY),
    "57014": ("database_locked", _LOCKED),
    "55P03": ("database_locked", _LOCKED),
    "XX001": ("database_corrupt", _DAMAGED),
    "XX002": ("database_corrupt", _DAMAGED),
}
_REFUSALS: Final = ("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry")
"""Words of the server by which it refuses a connection; libpq reports no SQLSTATE for them."""


def explain(error: psycopg.Error, place: str) -> DatabaseError | None:
    """Return an error whose message tells the operator what to do about ``error``.

    Returns:
        None for a fault of the code and not of the server: wrong SQL.
    """
    reason = _reason(error)
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected) or _is_outdated(error):
        return Conflict(reason, place=place)
    state = error.sqlstate
    if state is None:
        if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return None
        is_refusal = any(words in reason for words in _REFUSALS)
        code, words = ("database_refused", _REFUSED) if is_refusal else ("database_away", _AWAY)
    else:
        found = _BY_STATE.get(state) or _BY_STATE.get(state[:3]) or _BY_STATE.get(state[:2])
        if found is None:
            return None
        code, words = found
    return DatabaseError(words.format(place=place, reason=reason), code=code, place=place)


def _is_outdated(error: psycopg.Error) -> bool:
    """Return whether a prepared statement is older than a migration; psycopg prepares it again after the rollback."""
    is_refused = isinstance(error, errors.FeatureNotSupported)
    # The message is in the server's language.
    return is_refused and error.diag.source_function == "RevalidateCachedQuery"


def _reason(error: psycopg.Error) -> str:
    """Return the first line of the message, which never has the password."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
