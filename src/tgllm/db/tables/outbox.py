"""The outbox: what the bot has decided to tell Telegram, until Telegram has it.

Rows of one lane go out in the order in which they were added, one at a time. The Bot API knows no idempotency key:
a call that left and got no answer is ``uncertain``, and is not repeated unless somebody decides so.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import JSON, clean, dumps, new_id, read, read_all, read_one

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
Kind = Literal["send", "edit", "delete", "other"]
"""``send`` makes a message, so that twice would be seen; ``edit`` and ``delete`` may be repeated without harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutbox:
    """A call of the Bot API that is to be made."""

    lane: str
    method: str
    """Method of the Bot API, such as ``sendMessage``."""
    chat_id: int | None
    thread_id: int | None = None
    """The topic, in the Bot API's words ``message_thread_id``."""
    payload: JsonObject
    """The method's parameters."""
    turn_id: str | None = None
    part: int = 0
    """Place among the rows of the turn; a turn has each part once."""
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
    """Store calls, to be made in this order; returns their ids.

    Raises:
        sqlite3.IntegrityError: the turn has a row for that part already.
    """
    return [_add_one(conn, row, now) for row in rows]


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


# The first ready row of each lane that has nothing under way: what could go next. With min(), SQLite takes the other
# columns from the row that has the least id (sqlite.org/lang_select.html, "bare columns in an aggregate query").
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
    """Take what may go out: the first ready row of each lane, if it is due and nothing of the lane is under way.

    Args:
        conn: an open write transaction.
        limit: how many rows at most.
        now: UTC in milliseconds.
        exclude_chats: chats that have to wait, for their rate for example.
        most_in_chat: how many rows of one chat at most, which has a lane for each topic; None: any number.

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
    """When the next row may go out, in UTC milliseconds (0: at once); None where nothing waits for its time.

    Lanes with a row under way are not counted: the end of that row is when to look again. Nor are ``exclude_chats``.
    """
    heads = conn.execute(_HEADS)
    return min((int(head["not_before"]) for head in heads if head["chat_id"] not in exclude_chats), default=None)


def mark_sent(conn: sqlite3.Connection, sent: Iterable[tuple[int, int | None]], now: int) -> None:
    """Telegram has them: pairs of a row's id and Telegram's message id (None where the method gives none)."""
    conn.executemany(
        "UPDATE outbox SET state = 'sent', message_id = coalesce(?, message_id), sent_at = ?, error = NULL"
        " WHERE id = ?",
        [(message_id, now, row_id) for row_id, message_id in sent],
    )


def mark_ready_again(conn: sqlite3.Connection, row_id: int, not_before: int, error: str) -> None:
    """It did not leave, or Telegram refused it for now: to be tried again at ``not_before`` (UTC, milliseconds)."""
    _leave_sending(conn, row_id, "ready", error, not_before)


def postpone(conn: sqlite3.Connection, row_id: int, not_before: int) -> None:
    """Let a row that waits go out no sooner than ``not_before`` (UTC, milliseconds)."""
    conn.execute("UPDATE outbox SET not_before = ? WHERE id = ? AND state = 'ready'", (not_before, row_id))


def mark_uncertain(conn: sqlite3.Connection, row_id: int, error: str) -> None:
    """It left and no answer came: Telegram may have it."""
    _leave_sending(conn, row_id, "uncertain", error)


def mark_failed(conn: sqlite3.Connection, row_id: int, error: str) -> None:
    """Telegram refused it for good."""
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
    """Let a row of that state make another call next, in the same place of its lane; its attempts count anew."""
    conn.execute(
        "UPDATE outbox SET state = 'ready', attempts = 0, not_before = 0, method = ?, kind = ?, payload = ?, error = ?"
        " WHERE id = ? AND state = ?",
        (method, kind, dumps(payload), None if error is None else clean(error), row_id, state),
    )


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
    """Mark what was under way when an earlier run ended as ``uncertain``; returns all those rows, in order.

    To be called once, before the first ``claim``.
    """
    conn.execute(f"UPDATE outbox {_DROP_ERASED}")
    cursor = conn.execute(
        "UPDATE outbox SET state = 'uncertain', error = 'the program ended while it was sent'"
        " WHERE state = 'sending' RETURNING *"
    )
    return sorted(read_all(OutboxRow, cursor), key=lambda row: row.id)


def resend(conn: sqlite3.Connection, row_id: int) -> bool:
    """Let an ``uncertain`` row go out again, as somebody has decided; False where it is in another state."""
    cursor = conn.execute(
        "UPDATE outbox SET state = 'ready', not_before = 0 WHERE id = ? AND state = 'uncertain'", (row_id,)
    )
    return cursor.rowcount == 1


def drop(conn: sqlite3.Connection, row_id: int, error: str) -> bool:
    """Give up a row that waits or is uncertain; False where it is in another state."""
    cursor = conn.execute(
        "UPDATE outbox SET state = 'dropped', error = ? WHERE id = ? AND state IN ('ready', 'uncertain')",
        (clean(error), row_id),
    )
    return cursor.rowcount == 1


def drop_erased(conn: sqlite3.Connection, row_id: int) -> bool:
    """Give up a row whose content was erased while it was under way; False where it has some, which changes nothing."""
    return conn.execute(f"UPDATE outbox {_DROP_ERASED} AND id = ?", (row_id,)).rowcount == 1


def find(conn: sqlite3.Connection, turn_id: str, part: int) -> OutboxRow | None:
    """The row of that part of the turn."""
    return read_one(OutboxRow, conn.execute("SELECT * FROM outbox WHERE turn_id = ? AND part = ?", (turn_id, part)))


def of_turn(conn: sqlite3.Connection, turn_id: str) -> list[OutboxRow]:
    """The rows of a turn, by part."""
    return read_all(OutboxRow, conn.execute("SELECT * FROM outbox WHERE turn_id = ? ORDER BY part", (turn_id,)))


def get(conn: sqlite3.Connection, row_id: int) -> OutboxRow | None:
    """One row."""
    return read_one(OutboxRow, conn.execute("SELECT * FROM outbox WHERE id = ?", (row_id,)))


def counts(conn: sqlite3.Connection) -> dict[State, int]:
    """How many rows are in each state; states without any are left out."""
    return {row[0]: row[1] for row in conn.execute("SELECT state, count(*) FROM outbox GROUP BY state")}


# A part for each index that finds the rows, so that none looks at what is young.
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
    """Forget up to ``limit`` rows of before ``before`` that were sent, refused, given up, or that nobody asks about.

    Args:
        conn: an open write transaction.
        before: UTC in milliseconds.
        limit: how many at most.
        spared_turns: a pattern (SQLite: GLOB) of turns whose rows stay.

    Returns:
        How many those were.
    """
    # A pattern that fits no turn, since rows without one have an empty name here.
    values = {"before": before, "limit": limit, "spared": spared_turns or "-"}
    return conn.execute(_SETTLED, values).rowcount


def rename_turns(conn: sqlite3.Connection, before: str, after: str) -> None:
    """Let the turns whose names begin with ``before`` begin with ``after``; for names without ``*?[``."""
    conn.execute(
        "UPDATE OR IGNORE outbox SET turn_id = :after || substr(turn_id, length(:before) + 1)"
        " WHERE turn_id GLOB :before || '*'",
        {"before": before, "after": after},
    )
