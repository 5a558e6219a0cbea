"""Table ``outbox``: the durable queue of Bot API calls.

The rows of one lane are sent one at a time, in the order in which they were added.

A change that may let a row go out gives the signal ``outbox``; the commit then wakes the sender.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import JSON, clean, dumps, new_id, read, read_all, read_one
from tgllm.db.engine.signals import signal

__all__ = [
    "Kind",
    "NewOutbox",
    "OutboxRow",
    "State",
    "add",
    "claim",
    "counts",
    "drop",
    "drop_erased",
    "find",
    "get",
    "mark_failed",
    "mark_ready_again",
    "mark_sent",
    "mark_uncertain",
    "next_due",
    "of_turn",
    "postpone",
    "prune",
    "recover",
    "rename_turns",
    "resend",
    "rewrite",
]

State = Literal["ready", "sending", "sent", "uncertain", "failed", "dropped"]
"""State of a call: ``ready``, then ``sending``, then ``sent``, ``failed`` (refused for good) or ``ready`` for a retry.

``uncertain``: the call was sent and its response is unknown, because of a timeout or a crash. Telegram may have
executed it, and the Bot API has no idempotency key, so an automatic retry could send a message twice. ``dropped``:
cancelled before it was sent, or while its outcome was uncertain.
"""
Kind = Literal["send", "edit", "delete", "other"]
"""``send`` creates a message, so a repetition is visible; ``edit`` and ``delete`` are idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutbox:
    """A call of the Bot API to store."""

    lane: str
    method: str
    """Method of the Bot API, such as ``sendMessage``."""
    chat_id: int | None
    thread_id: int | None = None
    """The topic, ``message_thread_id`` in the Bot API."""
    payload: JsonObject
    """The method's parameters."""
    turn_id: str | None = None
    part: int = 0
    """Number of the row within the turn, unique there."""
    kind: Kind = "send"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A stored call; the fields are the columns of the table ``outbox``."""

    id: int
    lane: str
    turn_id: str | None
    part: int
    kind: Kind
    method: str
    chat_id: int | None
    thread_id: int | None
    payload: dict[str, Any] = field(metadata=JSON)
    state: State
    attempts: int
    not_before: int
    message_id: int | None
    error: str | None
    created_at: int
    sent_at: int | None


def add(conn: sqlite3.Connection, rows: Iterable[NewOutbox], now: int) -> list[int]:
    """Store calls, to be made in this order; return their ids.

    Raises:
        sqlite3.IntegrityError: the turn already has a row with that part.
    """
    ids = [_add_one(conn, row, now) for row in rows]
    if ids:
        signal(conn, "outbox")
    return ids


def _add_one(conn: sqlite3.Connection, row: NewOutbox, now: int) -> int:
    cursor = conn.execute(
        "INSERT INTO outbox (lane, turn_id, part, kind, method, chat_id, thread_id, payload, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.lane,
            row.turn_id,
            row.part,
            row.kind,
            row.method,
            row.chat_id,
            row.thread_id,
            dumps(row.payload),
            now,
        ),
    )
    return new_id(cursor)


# The first ready row of each lane that has no row being sent. With min(), SQLite takes the other columns from the row
# with the smallest id (sqlite.org/lang_select.html, "bare columns in an aggregate query").
_HEADS = """
    SELECT min(id) AS id, not_before, chat_id
    FROM outbox AS head
    WHERE state = 'ready'
    GROUP BY lane
    HAVING NOT EXISTS (SELECT 1 FROM outbox AS busy WHERE busy.lane = head.lane AND busy.state = 'sending')
    ORDER BY 1
"""
_START = "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ? RETURNING *"


def claim(
    conn: sqlite3.Connection,
    limit: int,
    now: int,
    *,
    exclude_chats: Collection[int] = (),
    most_in_chat: int | None = None,
) -> list[OutboxRow]:
    """Claim the first ready row of each lane, if it is due and no row of the lane is being sent.

    Args:
        conn: an open write transaction.
        limit: maximum number of rows.
        now: UTC in milliseconds.
        exclude_chats: chats that have to wait, for example because of a rate limit.
        most_in_chat: maximum number of rows of one chat, which has a lane for each topic; None for no maximum.

    Returns:
        The rows, now ``sending``, in the order of their ids.
    """
    heads = conn.execute(_HEADS).fetchall()
    due = [head for head in heads if head["not_before"] <= now and head["chat_id"] not in exclude_chats]
    chosen = due if most_in_chat is None else _few_of_each_chat(due, most_in_chat)
    return [read(OutboxRow, conn.execute(_START, (head["id"],)).fetchone()) for head in chosen[:limit]]


def _few_of_each_chat(heads: Iterable[sqlite3.Row], most: int) -> list[sqlite3.Row]:
    chosen: list[sqlite3.Row] = []
    counted: Counter[int] = Counter()
    for head in heads:
        counted[head["chat_id"]] += 1
        if counted[head["chat_id"]] <= most:
            chosen.append(head)
    return chosen


def next_due(conn: sqlite3.Connection, *, exclude_chats: Collection[int] = ()) -> int | None:
    """Return when the next row is due, in UTC milliseconds (0: at once); None if no row is waiting.

    Lanes with a row being sent are ignored, since their next row can't be sent before that one is finished, and so are
    ``exclude_chats``.
    """
    heads = conn.execute(_HEADS)
    return min((int(head["not_before"]) for head in heads if head["chat_id"] not in exclude_chats), default=None)


def mark_sent(conn: sqlite3.Connection, sent: Iterable[tuple[int, int | None]], now: int) -> None:
    """Mark rows as sent, given pairs of row id and Telegram's message id (None if the method returns none)."""
    conn.executemany(
        "UPDATE outbox SET state = 'sent', message_id = coalesce(?, message_id), sent_at = ?, error = NULL"
        " WHERE id = ?",
        [(message_id, now, row_id) for row_id, message_id in sent],
    )


def mark_ready_again(conn: sqlite3.Connection, row_id: int, not_before: int, error: str) -> None:
    """Schedule a retry at ``not_before`` (UTC, milliseconds): the call was not sent, or refused temporarily."""
    _leave_sending(conn, row_id, "ready", error, not_before)
    signal(conn, "outbox")


def postpone(conn: sqlite3.Connection, row_id: int, not_before: int) -> None:
    """Delay a ready row until ``not_before`` (UTC, milliseconds)."""
    conn.execute("UPDATE outbox SET not_before = ? WHERE id = ? AND state = 'ready'", (not_before, row_id))


def mark_uncertain(conn: sqlite3.Connection, row_id: int, error: str) -> None:
    """Mark a row as uncertain: the call was sent, but no response was received."""
    _leave_sending(conn, row_id, "uncertain", error)


def mark_failed(conn: sqlite3.Connection, row_id: int, error: str) -> None:
    """Mark a row as failed: Telegram refused the call permanently."""
    _leave_sending(conn, row_id, "failed", error)


def rewrite(
    conn: sqlite3.Connection,
    row_id: int,
    *,
    method: str,
    kind: Kind,
    payload: JsonObject,
    error: str | None = None,
    state: Literal["sending", "uncertain"] = "sending",
) -> None:
    """Replace the call of a row with that ``state``, at the same place in its lane, and reset its attempts."""
    conn.execute(
        "UPDATE outbox SET state = 'ready', attempts = 0, not_before = 0, method = ?, kind = ?, payload = ?, error = ?"
        " WHERE id = ? AND state = ?",
        (method, kind, dumps(payload), None if error is None else clean(error), row_id, state),
    )
    signal(conn, "outbox")


def _leave_sending(
    conn: sqlite3.Connection, row_id: int, state: State, error: str, not_before: int | None = None
) -> None:
    conn.execute(
        "UPDATE outbox SET state = ?, error = ?, not_before = coalesce(?, not_before)"
        " WHERE id = ? AND state = 'sending'",
        (state, clean(error), not_before, row_id),
    )


_DROP_ERASED = "SET state = 'dropped', error = NULL WHERE state = 'sending' AND payload = '{}'"


def recover(conn: sqlite3.Connection) -> list[OutboxRow]:
    """Mark the rows that an earlier process was sending as ``uncertain``; return them in order.

    Call this once, before the first ``claim``.
    """
    conn.execute(f"UPDATE outbox {_DROP_ERASED}")
    cursor = conn.execute(
        "UPDATE outbox SET state = 'uncertain', error = 'the program ended while it was sent'"
        " WHERE state = 'sending' RETURNING *"
    )
    return sorted(read_all(OutboxRow, cursor), key=lambda row: row.id)


def resend(conn: sqlite3.Connection, row_id: int) -> bool:
    """Queue an ``uncertain`` row again, after an explicit decision; return False if it is in another state."""
    cursor = conn.execute(
        "UPDATE outbox SET state = 'ready', not_before = 0 WHERE id = ? AND state = 'uncertain'", (row_id,)
    )
    signal(conn, "outbox")
    return cursor.rowcount == 1


def drop(conn: sqlite3.Connection, row_id: int, error: str) -> bool:
    """Drop a ready or uncertain row; return False if it is in another state."""
    cursor = conn.execute(
        "UPDATE outbox SET state = 'dropped', error = ? WHERE id = ? AND state IN ('ready', 'uncertain')",
        (clean(error), row_id),
    )
    # What is behind it in its lane may be due sooner.
    signal(conn, "outbox")
    return cursor.rowcount == 1


def drop_erased(conn: sqlite3.Connection, row_id: int) -> bool:
    """Drop a row whose content was erased while it was being sent; return False if its content was not erased."""
    return conn.execute(f"UPDATE outbox {_DROP_ERASED} AND id = ?", (row_id,)).rowcount == 1


def find(conn: sqlite3.Connection, turn_id: str, part: int) -> OutboxRow | None:
    """Return the row of a turn with that part; None if there is none."""
    return read_one(OutboxRow, conn.execute("SELECT * FROM outbox WHERE turn_id = ? AND part = ?", (turn_id, part)))


def of_turn(conn: sqlite3.Connection, turn_id: str) -> list[OutboxRow]:
    """Return the rows of a turn, by part."""
    return read_all(OutboxRow, conn.execute("SELECT * FROM outbox WHERE turn_id = ? ORDER BY part", (turn_id,)))


def get(conn: sqlite3.Connection, row_id: int) -> OutboxRow | None:
    """Return a row; None if there is none with that id."""
    return read_one(OutboxRow, conn.execute("SELECT * FROM outbox WHERE id = ?", (row_id,)))


def counts(conn: sqlite3.Connection) -> dict[State, int]:
    """Return the number of rows by state, without zeros."""
    return {row[0]: row[1] for row in conn.execute("SELECT state, count(*) FROM outbox GROUP BY state")}


# One SELECT for each partial index, so that recent rows are not scanned.
_SETTLED = """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM (
            SELECT id, turn_id FROM outbox WHERE sent_at < :before
            UNION ALL SELECT id, turn_id FROM outbox WHERE state = 'failed' AND created_at < :before
            UNION ALL SELECT id, turn_id FROM outbox WHERE state = 'dropped' AND created_at < :before
            UNION ALL SELECT id, turn_id FROM outbox WHERE state = 'uncertain' AND created_at < :before)
        WHERE coalesce(turn_id, '') NOT GLOB :spared
        LIMIT :limit)
"""


def prune(conn: sqlite3.Connection, before: int, limit: int, *, spared_turns: str = "") -> int:
    """Delete sent, failed, dropped and uncertain rows from before ``before``.

    Args:
        conn: an open write transaction.
        before: UTC in milliseconds.
        limit: maximum number of rows.
        spared_turns: GLOB pattern of the ids of turns whose rows stay.

    Returns:
        The number of deleted rows.
    """
    # "-" matches no turn id; an empty pattern would match rows without a turn.
    values = {"before": before, "limit": limit, "spared": spared_turns or "-"}
    return conn.execute(_SETTLED, values).rowcount


def rename_turns(conn: sqlite3.Connection, before: str, after: str) -> None:
    """Replace the prefix ``before`` of turn ids by ``after``; ``before`` must not contain ``*``, ``?`` or ``[``."""
    conn.execute(
        "UPDATE OR IGNORE outbox SET turn_id = :after || substr(turn_id, length(:before) + 1)"
        " WHERE turn_id GLOB :before || '*'",
        {"before": before, "after": after},
    )
