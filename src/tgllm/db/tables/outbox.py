"""Table ``outbox``: the durable queue of Bot API calls.

A lane has two streams: what people wait for (``ANSWER``, ``TIDY``), and the background (``CARD``, ``NOTICE``). The rows
of a stream are sent one at a time, by priority and then in the order in which they were added. The streams don't wait
for each other, so that a card in an admin's private chat delays no answer there.

A change that may let a row go out gives the signal ``outbox``; the commit then wakes the sender.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import BOOL, JSON, clean_error, dumps, new_id, read_all, read_one
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = [
    "ANSWER",
    "BACKGROUND",
    "CARD",
    "NOTICE",
    "TIDY",
    "Kind",
    "NewOutbox",
    "OutboxRow",
    "Priority",
    "State",
    "add",
    "begin_again",
    "counts",
    "drop",
    "drop_erased",
    "drop_notices",
    "exclude",
    "find",
    "first_of_stream",
    "forget_ids",
    "get",
    "mark_arrived",
    "mark_failed",
    "mark_in_doubt",
    "mark_ready_again",
    "mark_sent",
    "mark_uncertain",
    "of_turn",
    "pass_over",
    "postpone",
    "prune",
    "recover",
    "release",
    "rename_turns",
    "requeue",
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

Priority = Literal[0, 1, 2, 3]
ANSWER: Final = 0
"""Priority of what an approved person waits for: answers and their edits, replies, menus."""
TIDY: Final = 1
"""Priority of what only tidies a chat up: reactions and removed buttons. Such a row may be
overtaken by later answers in its lane, so it must not edit the text of a message that an ``ANSWER`` edits too."""
CARD: Final = 2
"""Priority of what the admins are told unasked: access requests and alerts."""
NOTICE: Final = 3
"""Priority of what may wait: replies to people without access, broadcasts, notices to many people at once."""

BACKGROUND: Final[Sequence[Priority]] = (CARD, NOTICE)
"""Priorities of the background stream."""


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
    priority: Priority = ANSWER
    late: Callable[[Connection], JsonObject] | None = None
    """Returns further parameters, which are only known when the row is stored."""


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
    priority: Priority
    behind: bool = field(metadata=BOOL)
    claimed_at: int | None = None
    known_id: int | None = None
    doubt: bool = field(default=False, metadata=BOOL)
    unconfirmed: int = 0


def add(conn: Connection, rows: Iterable[NewOutbox], now: int) -> list[int]:
    """Store calls, to be made in this order; return their ids.

    Raises:
        sqlite3.IntegrityError: the turn already has a row with that part.
    """
    ids = [_add_one(conn, row, now) for row in rows]
    if ids:
        signal(conn, "outbox")
    return ids


_LONGEST_CALL = 600_000
"""Time in ms after which no call is under way any more, nor executed later."""


# The row is behind another one if its stream has a ready row of the same or a more urgent priority.
_ADD = """
    INSERT INTO outbox (lane, turn_id, part, kind, method, chat_id, thread_id, payload, created_at, priority, behind)
    VALUES (:lane, :turn_id, :part, :kind, :method, :chat_id, :thread_id, :payload, :now, :priority, CASE WHEN EXISTS (
        SELECT 1 FROM outbox AS earlier
        WHERE earlier.state = 'ready' AND earlier.lane = :lane AND earlier.priority BETWEEN :first AND :priority
    ) THEN 1 ELSE 0 END)
    RETURNING id
"""


def first_of_stream(priority: Priority) -> Priority:
    """Return the most urgent priority in the stream of rows with this one."""
    return CARD if priority >= CARD else ANSWER


def _add_one(conn: Connection, row: NewOutbox, now: int) -> int:
    payload = row.payload if row.late is None else {**row.payload, **row.late(conn)}
    cursor = conn.execute(
        _ADD,
        {
            "lane": row.lane,
            "turn_id": row.turn_id,
            "part": row.part,
            "kind": row.kind,
            "method": row.method,
            "chat_id": row.chat_id,
            "thread_id": row.thread_id,
            "payload": dumps(payload),
            "now": now,
            "priority": row.priority,
            "first": first_of_stream(row.priority),
        },
    )
    return new_id(cursor)


def mark_sent(conn: Connection, sent: Iterable[tuple[int, int | None]], now: int) -> None:
    """Mark rows as sent, given pairs of row id and Telegram's message id (None if the method returns none)."""
    conn.executemany(
        "UPDATE outbox SET state = 'sent', message_id = coalesce(?, message_id), sent_at = ?, error = NULL,"
        " doubt = 0 WHERE id = ?",
        [(message_id, now, row_id) for row_id, message_id in sent],
    )


def mark_ready_again(conn: Connection, row_id: int, not_before: int, error: str, *, refused: bool = False) -> None:
    """Schedule a retry at ``not_before`` (UTC, milliseconds).

    Args:
        conn: an open write transaction.
        row_id: the row.
        not_before: time of the retry.
        error: why.
        refused: whether the call began and was certainly not executed, so that it does not count as ``unconfirmed``.
    """
    if refused:
        conn.execute(
            "UPDATE outbox SET unconfirmed = max(0, unconfirmed - 1) WHERE id = ? AND state = 'sending'", (row_id,)
        )
    _leave_sending(conn, row_id, "ready", error, not_before)
    signal(conn, "outbox")


def release(conn: Connection, row_id: int, not_before: int) -> None:
    """Return a claimed row to the queue until ``not_before`` (UTC, milliseconds): its call was not made."""
    conn.execute(
        "UPDATE outbox SET state = 'ready', attempts = attempts - 1, unconfirmed = max(0, unconfirmed - (1 - doubt)),"
        " not_before = ? WHERE id = ? AND state = 'sending'",
        (not_before, row_id),
    )
    signal(conn, "outbox")


def begin_again(conn: Connection, row_id: int) -> None:
    """Count the new call of a row that was in doubt, before it begins."""
    conn.execute("UPDATE outbox SET unconfirmed = unconfirmed + 1 WHERE id = ? AND state = 'sending'", (row_id,))


def exclude(conn: Connection, row_id: int, message_id: int) -> None:
    """Note that no message up to ``message_id`` is the one of a row in doubt."""
    conn.execute(
        "UPDATE outbox SET known_id = ? WHERE id = ? AND state = 'sending' AND known_id < ?",
        (message_id, row_id, message_id),
    )


def postpone(conn: Connection, row_id: int, not_before: int) -> None:
    """Delay a ready row until ``not_before`` (UTC, milliseconds)."""
    conn.execute("UPDATE outbox SET not_before = ? WHERE id = ? AND state = 'ready'", (not_before, row_id))


def mark_uncertain(conn: Connection, row_id: int, error: str) -> None:
    """Mark a row as uncertain: the call was sent, but no response was received."""
    conn.execute(
        "UPDATE outbox SET state = 'uncertain', doubt = 1, error = ? WHERE id = ? AND state = 'sending'",
        (clean_error(error), row_id),
    )


def mark_in_doubt(conn: Connection, row_id: int, not_before: int, error: str) -> None:
    """Return a row to its place in the queue: its call may have arrived, which is found out before the next one."""
    conn.execute(
        "UPDATE outbox SET state = 'ready', doubt = 1, error = ?, not_before = ?"
        " WHERE id = ? AND state IN ('sending', 'uncertain')",
        (clean_error(error), not_before, row_id),
    )
    signal(conn, "outbox")


def mark_arrived(conn: Connection, row_ids: Iterable[int], now: int) -> None:
    """Mark waiting rows as sent that were found to have arrived; their message ids are not known."""
    conn.executemany(
        "UPDATE outbox SET state = 'sent', sent_at = ?, error = NULL, doubt = 0"
        " WHERE id = ? AND state = 'ready' AND doubt = 1",
        [(now, row_id) for row_id in row_ids],
    )
    signal(conn, "outbox")


def forget_ids(conn: Connection, row: OutboxRow) -> None:
    """Forget the ids of the other rows of the chat that may have arrived, or whose calls are under way.

    The message of ``row`` may have arrived and was not found, and it is not kept how it looks. It could be taken for
    theirs.
    """
    conn.execute(
        "UPDATE outbox SET known_id = NULL WHERE chat_id = ? AND id <> ? AND state = 'ready' AND doubt = 1",
        (row.chat_id, row.id),
    )
    conn.execute(
        "UPDATE outbox SET known_id = NULL WHERE chat_id = ? AND id <> ? AND state = 'sending'", (row.chat_id, row.id)
    )


def pass_over(conn: Connection, row: OutboxRow) -> None:
    """Note that the messages of rows that were given up have ids below that of the message of ``row``.

    It was sent after them, since they are of the same stream or much older, and its id is known.
    """
    conn.execute(
        "UPDATE outbox SET doubt = 0 WHERE chat_id = ? AND doubt = 1 AND state IN ('uncertain', 'dropped')"
        " AND (lane = ? AND (priority >= 2) = (? >= 2) OR claimed_at + ? < ?)",
        (row.chat_id, row.lane, row.priority, _LONGEST_CALL, row.claimed_at),
    )


def mark_failed(conn: Connection, row_id: int, error: str) -> None:
    """Mark a row as failed: Telegram refused the call permanently."""
    _leave_sending(conn, row_id, "failed", error)


def rewrite(
    conn: Connection,
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
        "UPDATE outbox SET state = 'ready', attempts = 0, not_before = 0, method = ?, kind = ?, payload = ?, error = ?,"
        " doubt = 0, unconfirmed = 0 WHERE id = ? AND state = ?",
        (method, kind, dumps(payload), clean_error(error), row_id, state),
    )
    signal(conn, "outbox")


def requeue(conn: Connection, row_id: int, payload: JsonObject, not_before: int) -> bool:
    """Change what a ready row sends, or send a finished one again, such as an edit that is repeated with new content.

    Return False if it is in another state.
    """
    cursor = conn.execute(
        "UPDATE outbox SET state = 'ready', attempts = 0, not_before = ?, payload = ?, error = NULL, sent_at = NULL,"
        " doubt = 0, unconfirmed = 0 WHERE id = ? AND state IN ('ready', 'sent', 'failed')",
        (not_before, dumps(payload), row_id),
    )
    signal(conn, "outbox")
    return cursor.rowcount == 1


def _leave_sending(conn: Connection, row_id: int, state: State, error: str, not_before: int | None = None) -> None:
    conn.execute(
        "UPDATE outbox SET state = ?, error = ?, not_before = coalesce(?, not_before)"
        " WHERE id = ? AND state = 'sending'",
        (state, clean_error(error), not_before, row_id),
    )


_DROP_ERASED = "SET state = 'dropped', doubt = 1, error = NULL WHERE state = 'sending' AND payload = '{}'"


def recover(conn: Connection) -> list[OutboxRow]:
    """Mark the rows that an earlier process was sending as ``uncertain``; return them in order.

    Call this once, before the first claim.
    """
    conn.execute(f"UPDATE outbox {_DROP_ERASED}")
    cursor = conn.execute(
        "UPDATE outbox SET state = 'uncertain', doubt = 1, error = 'the program ended while it was sent'"
        " WHERE state = 'sending' RETURNING *"
    )
    return sorted(read_all(OutboxRow, cursor), key=lambda row: row.id)


def resend(conn: Connection, row_id: int) -> bool:
    """Queue an ``uncertain`` row again, after an explicit decision; return False if it is in another state."""
    cursor = conn.execute(
        "UPDATE outbox SET state = 'ready', not_before = 0, doubt = 0, unconfirmed = 0"
        " WHERE id = ? AND state = 'uncertain'",
        (row_id,),
    )
    signal(conn, "outbox")
    return cursor.rowcount == 1


def drop(conn: Connection, row_id: int, error: str) -> bool:
    """Drop a ready or uncertain row; return False if it is in another state."""
    cursor = conn.execute(
        "UPDATE outbox SET state = 'dropped', error = ? WHERE id = ? AND state IN ('ready', 'uncertain') RETURNING *",
        (clean_error(error), row_id),
    )
    dropped = read_one(OutboxRow, cursor)
    # What is behind it in its lane may be due sooner.
    signal(conn, "outbox")
    return dropped is not None


def drop_notices(conn: Connection, lane: str, error: str) -> None:
    """Drop the ready rows of a lane that have the priority ``NOTICE``, except messages of plugins."""
    conn.execute(
        "UPDATE outbox SET state = 'dropped', error = ? WHERE state = 'ready' AND lane = ? AND priority = ?"
        " AND coalesce(turn_id, '') NOT GLOB 'plugin:*'",
        (clean_error(error), lane, NOTICE),
    )
    signal(conn, "outbox")


def drop_erased(conn: Connection, row_id: int) -> bool:
    """Drop a row whose content was erased while it was being sent; return False if its content was not erased."""
    dropped = read_one(OutboxRow, conn.execute(f"UPDATE outbox {_DROP_ERASED} AND id = ? RETURNING *", (row_id,)))
    if dropped is not None:
        forget_ids(conn, dropped)
    return dropped is not None


def find(conn: Connection, turn_id: str, part: int) -> OutboxRow | None:
    """Return the row of a turn with that part; None if there is none."""
    return read_one(OutboxRow, conn.execute("SELECT * FROM outbox WHERE turn_id = ? AND part = ?", (turn_id, part)))


def of_turn(conn: Connection, turn_id: str) -> list[OutboxRow]:
    """Return the rows of a turn, by part."""
    return read_all(OutboxRow, conn.execute("SELECT * FROM outbox WHERE turn_id = ? ORDER BY part", (turn_id,)))


def get(conn: Connection, row_id: int) -> OutboxRow | None:
    """Return a row; None if there is none with that id."""
    return read_one(OutboxRow, conn.execute("SELECT * FROM outbox WHERE id = ?", (row_id,)))


def counts(conn: Connection) -> dict[State, int]:
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


def prune(conn: Connection, before: int, limit: int, *, spared_turns: str = "") -> int:
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


def rename_turns(conn: Connection, before: str, after: str) -> None:
    """Replace the prefix ``before`` of turn ids by ``after``; ``before`` must not contain ``*``, ``?`` or ``[``."""
    conn.execute(
        "UPDATE outbox SET turn_id = :after || substr(turn_id, :rest) WHERE turn_id GLOB :before || '*'"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS other"
        " WHERE other.turn_id = :after || substr(outbox.turn_id, :rest) AND other.part = outbox.part)",
        {"before": before, "after": after, "rest": len(before) + 1},
    )
