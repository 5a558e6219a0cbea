"""Broadcasts: one text of an admin to everybody, from the preview to the report.

Who is still to be told is a row of ``broadcast_recipients``. It gets the id of its outbox row when that is made, in the
same transaction, so that nobody is told twice, and goes when it is known what came of it.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean, read, read_one

__all__ = [
    "Broadcast",
    "Progress",
    "State",
    "add_preview",
    "collect",
    "count_people",
    "current",
    "finish",
    "get",
    "leave_out_rest",
    "next_people",
    "progress",
    "prune",
    "queued",
    "set_progress_row",
    "start",
    "stop",
]

State = Literal["preview", "running", "stopping", "stopped", "done"]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A stored broadcast; the fields are the columns of the table ``broadcasts``."""

    id: int
    admin_id: int
    text: str
    lane: str
    language: str
    state: State
    people: int
    delivered: int
    blocked: int
    failed: int
    unconfirmed: int
    left_out: int
    progress_id: int | None
    expires_at: int
    created_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Who is still to be told."""

    waiting: int
    """People for whom no message has been made yet."""
    queued: int
    """People whose message is on its way."""


# Who may use the bot, but for the admin, who has read the text.
_PEOPLE = "status = 'active' AND (expires_at IS NULL OR expires_at > :now) AND id <> :admin"


def count_people(conn: sqlite3.Connection, admin_id: int, now: int) -> int:
    """How many people a broadcast of that admin would go to now."""
    query = f"SELECT count(*) FROM users WHERE {_PEOPLE}"  # noqa: S608 (constants)
    return int(conn.execute(query, {"admin": admin_id, "now": now}).fetchone()[0])


def add_preview(
    conn: sqlite3.Connection, *, admin_id: int, text: str, lane: str, language: str, expires_at: int, now: int
) -> int:
    """Store a text that is to be confirmed; earlier ones of the same admin can't be any more. Returns its id.

    Args:
        conn: an open write transaction.
        admin_id: whose it is.
        text: what everybody is to be told.
        lane: where the admin is told of the progress.
        language: in which.
        expires_at: until when it can be confirmed, UTC in milliseconds.
        now: UTC in milliseconds.
    """
    conn.execute("DELETE FROM broadcasts WHERE admin_id = ? AND state = 'preview'", (admin_id,))
    cursor = conn.execute(
        "INSERT INTO broadcasts (admin_id, text, lane, language, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (admin_id, clean(text), lane, language, expires_at, now),
    )
    return int(cursor.fetchone()[0])


def get(conn: sqlite3.Connection, broadcast_id: int) -> Broadcast | None:
    """One broadcast."""
    return read_one(Broadcast, conn.execute("SELECT * FROM broadcasts WHERE id = ?", (broadcast_id,)))


def current(conn: sqlite3.Connection) -> Broadcast | None:
    """The broadcast that is under way; of several, the first."""
    cursor = conn.execute("SELECT * FROM broadcasts WHERE state IN ('running', 'stopping') ORDER BY id LIMIT 1")
    return read_one(Broadcast, cursor)


def start(conn: sqlite3.Connection, broadcast_id: int, now: int) -> Broadcast:
    """Begin a broadcast that was confirmed: it goes to everybody who may use the bot now.

    Args:
        conn: an open write transaction.
        broadcast_id: one that is a preview.
        now: UTC in milliseconds.

    Raises:
        LookupError: it is no preview.
    """
    row = conn.execute(
        "UPDATE broadcasts SET state = 'running' WHERE id = ? AND state = 'preview' RETURNING admin_id", (broadcast_id,)
    ).fetchone()
    if row is None:
        raise LookupError(f"no preview {broadcast_id}")
    values = {"broadcast": broadcast_id, "admin": row[0], "now": now}
    conn.execute(
        "INSERT INTO broadcast_recipients (broadcast_id, user_id)"  # noqa: S608 (constants)
        f" SELECT :broadcast, id FROM users WHERE {_PEOPLE}",
        values,
    )
    begun = conn.execute(
        "UPDATE broadcasts SET people = (SELECT count(*) FROM broadcast_recipients WHERE broadcast_id = :broadcast)"
        " WHERE id = :broadcast RETURNING *",
        values,
    ).fetchone()
    return read(Broadcast, begun)


def set_progress_row(conn: sqlite3.Connection, broadcast_id: int, outbox_id: int) -> None:
    """Note which outbox row makes the message that shows the progress."""
    conn.execute("UPDATE broadcasts SET progress_id = ? WHERE id = ?", (outbox_id, broadcast_id))


def next_people(conn: sqlite3.Connection, broadcast_id: int, limit: int, now: int) -> list[int]:
    """The next people to be told; those who have lost their access meanwhile are left out for good."""
    lost = conn.execute(
        "DELETE FROM broadcast_recipients WHERE broadcast_id = :broadcast AND outbox_id IS NULL"  # noqa: S608 (constants)
        f" AND user_id NOT IN (SELECT id FROM users WHERE {_PEOPLE})",
        {"broadcast": broadcast_id, "admin": 0, "now": now},
    ).rowcount
    _count(conn, broadcast_id, left_out=lost)
    rows = conn.execute(
        "SELECT user_id FROM broadcast_recipients WHERE broadcast_id = ? AND outbox_id IS NULL"
        " ORDER BY user_id LIMIT ?",
        (broadcast_id, limit),
    )
    return [int(row[0]) for row in rows]


def queued(conn: sqlite3.Connection, broadcast_id: int, user_id: int, outbox_id: int) -> None:
    """Note that somebody's message is in the outbox; to be called in the transaction that put it there."""
    conn.execute(
        "UPDATE broadcast_recipients SET outbox_id = ? WHERE broadcast_id = ? AND user_id = ?",
        (outbox_id, broadcast_id, user_id),
    )


def collect(conn: sqlite3.Connection, broadcast_id: int) -> None:
    """Count the messages of which it is known what came of them."""
    rows = conn.execute(
        "SELECT user_id, state, error FROM broadcast_recipients LEFT JOIN outbox ON outbox.id = outbox_id"
        " WHERE broadcast_id = ? AND outbox_id IS NOT NULL AND (state IS NULL OR state NOT IN ('ready', 'sending'))",
        (broadcast_id,),
    ).fetchall()
    counts = {"delivered": 0, "blocked": 0, "failed": 0, "unconfirmed": 0, "left_out": 0}
    for row in rows:
        counts[_meaning(row["state"], row["error"] or "")] += 1
    conn.executemany(
        "DELETE FROM broadcast_recipients WHERE broadcast_id = ? AND user_id = ?",
        [(broadcast_id, row["user_id"]) for row in rows],
    )
    _count(conn, broadcast_id, **counts)


def _meaning(state: str | None, error: str) -> str:
    match state:
        # A row that is gone was sent so long ago that it has been pruned.
        case "sent" | None:
            return "delivered"
        case "dropped":
            return "left_out"
        case "uncertain":
            return "unconfirmed"
        # Bot API: error 403, for people who have blocked the bot, never started it or deleted their account.
        case _ if error.startswith("Forbidden"):
            return "blocked"
        case _:
            return "failed"


def _count(conn: sqlite3.Connection, broadcast_id: int, **counts: int) -> None:
    if any(counts.values()):
        values = {
            "delivered": 0,
            "blocked": 0,
            "failed": 0,
            "unconfirmed": 0,
            "left_out": 0,
            **counts,
            "id": broadcast_id,
        }
        conn.execute(
            "UPDATE broadcasts SET delivered = delivered + :delivered, blocked = blocked + :blocked,"
            " failed = failed + :failed, unconfirmed = unconfirmed + :unconfirmed,"
            " left_out = left_out + :left_out WHERE id = :id",
            values,
        )


def progress(conn: sqlite3.Connection, broadcast_id: int) -> Progress:
    """Who is still to be told."""
    row = conn.execute(
        "SELECT count(*) - count(outbox_id), count(outbox_id) FROM broadcast_recipients WHERE broadcast_id = ?",
        (broadcast_id,),
    ).fetchone()
    return Progress(int(row[0]), int(row[1]))


def stop(conn: sqlite3.Connection, broadcast_id: int, now: int) -> bool:
    """Let a broadcast, or a preview of one, go to nobody else; False where it is not under way.

    Args:
        conn: an open write transaction.
        broadcast_id: which one.
        now: UTC in milliseconds.
    """
    cursor = conn.execute(
        "UPDATE broadcasts SET state = CASE state WHEN 'preview' THEN 'stopped' ELSE 'stopping' END,"
        " finished_at = CASE state WHEN 'preview' THEN :now END"
        " WHERE id = :id AND state IN ('preview', 'running')",
        {"id": broadcast_id, "now": now},
    )
    return cursor.rowcount == 1


def leave_out_rest(conn: sqlite3.Connection, broadcast_id: int) -> None:
    """Count everybody who has not been told as left out, and take back the messages that have not gone yet."""
    conn.execute(
        "UPDATE outbox SET state = 'dropped', error = 'the broadcast was stopped' WHERE state = 'ready'"
        " AND id IN (SELECT outbox_id FROM broadcast_recipients WHERE broadcast_id = ?)",
        (broadcast_id,),
    )
    rest = conn.execute(
        "DELETE FROM broadcast_recipients WHERE broadcast_id = ? AND outbox_id IS NULL", (broadcast_id,)
    ).rowcount
    _count(conn, broadcast_id, left_out=rest)


def finish(conn: sqlite3.Connection, broadcast_id: int, now: int) -> Broadcast:
    """End a broadcast of which nobody is left to be told."""
    row = conn.execute(
        "UPDATE broadcasts SET state = CASE state WHEN 'running' THEN 'done' ELSE 'stopped' END, finished_at = ?"
        " WHERE id = ? RETURNING *",
        (now, broadcast_id),
    ).fetchone()
    return read(Broadcast, row)


def prune(conn: sqlite3.Connection, before: int, limit: int) -> int:
    """Forget up to ``limit`` broadcasts that ended before ``before``, and previews that nobody confirmed until then.

    Returns how many.
    """
    cursor = conn.execute(
        "DELETE FROM broadcasts WHERE id IN (SELECT id FROM broadcasts WHERE finished_at < :before"
        " OR (state = 'preview' AND expires_at < :before) ORDER BY id LIMIT :limit)",
        {"before": before, "limit": limit},
    )
    return cursor.rowcount
