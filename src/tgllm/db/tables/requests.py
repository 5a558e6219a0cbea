"""Table ``requests``: each call of a model, its cost and its outcome."""

from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean_error, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "NewRequest",
    "Outcome",
    "Request",
    "Status",
    "add",
    "drop_open",
    "get",
    "of_turn",
    "prune",
    "prune_failed",
    "recent",
]

Status = Literal["ok", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A call of a model, without its outcome."""

    turn_id: str
    attempt: int = 1
    """1 for the first call of the turn."""
    conversation_id: int | None
    user_id: int | None
    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Outcome of a call. Token counts are None if the provider does not report them."""

    status: Status
    message_id: int | None = None
    """Id of the answer."""
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_micros: int | None = None
    """Millionths of a US dollar; None if the price is unknown."""
    first_token_ms: int | None = None
    """Milliseconds until the first text."""
    latency_ms: int | None = None
    """Milliseconds until the end."""
    error_code: str | None = None
    error_text: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A stored call; the fields are the columns of the table ``requests``."""

    id: int
    turn_id: str
    attempt: int
    conversation_id: int | None
    message_id: int | None
    user_id: int | None
    provider: str
    model: str
    status: Status
    finish_reason: str | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    cost_micros: int | None
    first_token_ms: int | None
    latency_ms: int | None
    error_code: str | None
    error_text: str | None
    created_at: int
    finished_at: int
    cache_write_tokens: int | None


_ADD = """
    INSERT INTO requests (
        turn_id, attempt, conversation_id, user_id, provider, model, created_at, status, message_id, finish_reason,
        input_tokens, output_tokens, reasoning_tokens, cached_tokens, cost_micros, first_token_ms, latency_ms,
        error_code, error_text, finished_at, cache_write_tokens)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id
"""


def add(conn: Connection, new: NewRequest, outcome: Outcome, began: int, ended: int) -> int:
    """Store a finished call and return its id.

    Args:
        conn: an open write transaction.
        new: the call.
        outcome: its outcome.
        began: start of the call; UTC, in milliseconds.
        ended: end of the call; UTC, in milliseconds.

    Raises:
        sqlite3.IntegrityError: the turn already has a call with that number, or the user or conversation is unknown.
    """
    values = (
        new.turn_id,
        new.attempt,
        new.conversation_id,
        new.user_id,
        new.provider,
        new.model,
        began,
        outcome.status,
        outcome.message_id,
        outcome.finish_reason,
        outcome.input_tokens,
        outcome.output_tokens,
        outcome.reasoning_tokens,
        outcome.cached_tokens,
        outcome.cost_micros,
        outcome.first_token_ms,
        outcome.latency_ms,
        outcome.error_code,
        clean_error(outcome.error_text),
        ended,
        outcome.cache_write_tokens,
    )
    return new_id(conn.execute(_ADD, values))


def drop_open(conn: Connection, turn_id: str) -> Request | None:
    """Delete the call of a turn that is stored without an outcome; return it, None if there is none.

    Such a call has the status ``interrupted`` and no error code: it is being made, or the process ended meanwhile.
    """
    cursor = conn.execute(
        "DELETE FROM requests WHERE turn_id = ? AND status = 'interrupted' AND error_code IS NULL RETURNING *",
        (turn_id,),
    )
    return next(iter(read_all(Request, cursor)), None)


def get(conn: Connection, request_id: int) -> Request | None:
    """Return a call; None if there is none with that id."""
    return read_one(Request, conn.execute("SELECT * FROM requests WHERE id = ?", (request_id,)))


def of_turn(conn: Connection, turn_id: str) -> list[Request]:
    """Return the calls of a turn, in order."""
    return read_all(Request, conn.execute("SELECT * FROM requests WHERE turn_id = ? ORDER BY attempt", (turn_id,)))


def recent(conn: Connection, limit: int, user_id: int | None = None) -> list[Request]:
    """Return the latest calls, of all users or of one, newest first."""
    cursor = conn.execute(
        "SELECT * FROM requests WHERE :user_id IS NULL OR user_id = :user_id ORDER BY id DESC LIMIT :limit",
        {"user_id": user_id, "limit": limit},
    )
    return read_all(Request, cursor)


def prune_failed(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` calls from before ``before`` that failed without any answer; return how many.

    Their usage stays in the daily totals.
    """
    cursor = conn.execute(
        "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE status IN ('failed', 'interrupted')"
        " AND created_at < ? AND message_id IS NULL ORDER BY created_at LIMIT ?)",
        (before, limit),
    )
    return cursor.rowcount


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` of the oldest calls from before ``before``; return how many.

    Their usage stays in the daily totals. Ids grow with time, so the scan stops at the limit.
    """
    cursor = conn.execute(
        "DELETE FROM requests WHERE id IN (SELECT id FROM (SELECT id, created_at FROM requests ORDER BY id LIMIT ?)"
        " WHERE created_at < ?)",
        (limit, before),
    )
    return cursor.rowcount
