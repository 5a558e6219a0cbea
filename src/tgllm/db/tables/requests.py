"""Requests: each call of a model, what it cost and how it ended."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean, new_id, read_all, read_one

__all__ = [
    "NewRequest",
    "Outcome",
    "Request",
    "Status",
    "add",
    "get",
    "of_turn",
    "prune_failed",
    "recent",
]

Status = Literal["ok", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A call of a model, before it is known how it ended."""

    turn_id: str
    attempt: int = 1
    """1 for the first call of the turn."""
    conversation_id: int | None
    user_id: int | None
    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended. Tokens are None where the provider does not say."""

    status: Status
    message_id: int | None = None
    """The answer."""
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost_micros: int | None = None
    """Millionths of a US dollar; None where the price is unknown."""
    first_token_ms: int | None = None
    """Milliseconds until the first piece of text."""
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


_ADD = """
    INSERT INTO requests (
        turn_id, attempt, conversation_id, user_id, provider, model, created_at, status, message_id, finish_reason,
        input_tokens, output_tokens, reasoning_tokens, cached_tokens, cost_micros, first_token_ms, latency_ms,
        error_code, error_text, finished_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def add(conn: sqlite3.Connection, new: NewRequest, outcome: Outcome, began: int, ended: int) -> int:
    """Store a call that has ended; returns its id.

    Args:
        conn: an open write transaction.
        new: the call.
        outcome: how it ended.
        began: UTC, in milliseconds.
        ended: the same.

    Raises:
        sqlite3.IntegrityError: the turn has a call of that number already, or the user or conversation is unknown.
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
        None if outcome.error_text is None else clean(outcome.error_text),
        ended,
    )
    return new_id(conn.execute(_ADD, values))


def get(conn: sqlite3.Connection, request_id: int) -> Request | None:
    """One call."""
    return read_one(Request, conn.execute("SELECT * FROM requests WHERE id = ?", (request_id,)))


def of_turn(conn: sqlite3.Connection, turn_id: str) -> list[Request]:
    """The calls of a turn, the first one first."""
    return read_all(Request, conn.execute("SELECT * FROM requests WHERE turn_id = ? ORDER BY attempt", (turn_id,)))


def recent(conn: sqlite3.Connection, limit: int, user_id: int | None = None) -> list[Request]:
    """The latest calls, of everybody or of one person, the latest first."""
    cursor = conn.execute(
        "SELECT * FROM requests WHERE :user_id IS NULL OR user_id = :user_id ORDER BY id DESC LIMIT :limit",
        {"user_id": user_id, "limit": limit},
    )
    return read_all(Request, cursor)


def prune_failed(conn: sqlite3.Connection, before: int, limit: int) -> int:
    """Forget calls that failed without any answer and began before ``before``, at most ``limit``; returns how many.

    What they have used stays in the sums of each day.
    """
    cursor = conn.execute(
        "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE status IN ('failed', 'interrupted')"
        " AND created_at < ? AND message_id IS NULL ORDER BY created_at LIMIT ?)",
        (before, limit),
    )
    return cursor.rowcount
