"""Tables ``broadcasts`` and ``broadcast_recipients``: a text from an admin to all users, from preview to report.

Each pending recipient is a row of ``broadcast_recipients``. It gets the id of the outbox row in the transaction that
adds that row, so that a crash sends no message twice. It is deleted when the outcome of the message is known.
"""

from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean, read, read_one
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

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
    """Number of pending recipients."""

    waiting: int
    """Recipients without an outbox row."""
    queued: int
    """Recipients whose message is in the outbox."""


# Everyone with access except for the admin who wrote the text.
_PEOPLE = "status = 'active' AND (expires_at IS NULL OR expires_at > :now) AND id <> :admin"


def count_people(conn: Connection, admin_id: int, now: int) -> int:
    """Return how many recipients a broadcast of that admin would have at ``now``."""
    query = f"SELECT count(*) FROM users WHERE {_PEOPLE}"  # noqa: S608 (constants)
    return int(conn.execute(query, {"admin": admin_id, "now": now}).fetchone()[0])


def add_preview(
    conn: Connection, *, admin_id: int, text: str, lane: str, language: str, expires_at: int, now: int
) -> int:
    """Store a broadcast for confirmation, in place of earlier previews of the same admin; return its id.

    Args:
        conn: an open write transaction.
        admin_id: user id of the admin.
        text: the text to send.
        lane: lane in which the progress is shown to the admin.
        language: language of the progress message.
        expires_at: time until which it can be confirmed, UTC in milliseconds.
        now: UTC in milliseconds.
    """
    conn.execute("DELETE FROM broadcasts WHERE admin_id = ? AND state = 'preview'", (admin_id,))
    cursor = conn.execute(
        "INSERT INTO broadcasts (admin_id, text, lane, language, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (admin_id, clean(text), lane, language, expires_at, now),
    )
    return int(cursor.fetchone()[0])


def get(conn: Connection, broadcast_id: int) -> Broadcast | None:
    """Return a broadcast; None if there is none with that id."""
    return read_one(Broadcast, conn.execute("SELECT * FROM broadcasts WHERE id = ?", (broadcast_id,)))


def current(conn: Connection) -> Broadcast | None:
    """Return the broadcast that is being sent; the first one if there are several."""
    cursor = conn.execute("SELECT * FROM broadcasts WHERE state IN ('running', 'stopping') ORDER BY id LIMIT 1")
    return read_one(Broadcast, cursor)


def start(conn: Connection, broadcast_id: int, now: int) -> Broadcast:
    """Start a confirmed broadcast, with all users who have access at ``now`` as recipients.

    Args:
        conn: an open write transaction.
        broadcast_id: id of a preview.
        now: UTC in milliseconds.

    Raises:
        LookupError: there is no such preview.
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


def set_progress_row(conn: Connection, broadcast_id: int, outbox_id: int) -> None:
    """Record the outbox row of the progress message."""
    conn.execute("UPDATE broadcasts SET progress_id = ? WHERE id = ?", (outbox_id, broadcast_id))


def next_people(conn: Connection, broadcast_id: int, limit: int, now: int) -> list[int]:
    """Return the next recipients; those who have lost access since are removed and counted as left out."""
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


def queued(conn: Connection, broadcast_id: int, user_id: int, outbox_id: int) -> None:
    """Record the outbox row of a recipient's message; call this in the transaction that adds the row."""
    conn.execute(
        "UPDATE broadcast_recipients SET outbox_id = ? WHERE broadcast_id = ? AND user_id = ?",
        (outbox_id, broadcast_id, user_id),
    )


def collect(conn: Connection, broadcast_id: int) -> None:
    """Count the messages whose outcome is known, and remove their recipients."""
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
        # No outbox row: it was sent so long ago that it has been pruned.
        case "sent" | None:
            return "delivered"
        case "dropped":
            return "left_out"
        case "uncertain":
            return "unconfirmed"
        # Bot API: error 403, for users who have blocked the bot, never started it or deleted their account.
        case _ if error.startswith("Forbidden"):
            return "blocked"
        case _:
            return "failed"


def _count(conn: Connection, broadcast_id: int, **counts: int) -> None:
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


def progress(conn: Connection, broadcast_id: int) -> Progress:
    """Return the number of pending recipients."""
    row = conn.execute(
        "SELECT count(*) - count(outbox_id), count(outbox_id) FROM broadcast_recipients WHERE broadcast_id = ?",
        (broadcast_id,),
    ).fetchone()
    return Progress(int(row[0]), int(row[1]))


def stop(conn: Connection, broadcast_id: int, now: int) -> bool:
    """Stop a broadcast or cancel a preview; return False if it is in no such state.

    Args:
        conn: an open write transaction.
        broadcast_id: the broadcast.
        now: UTC in milliseconds.
    """
    cursor = conn.execute(
        "UPDATE broadcasts SET state = CASE state WHEN 'preview' THEN 'stopped' ELSE 'stopping' END,"
        " finished_at = CASE state WHEN 'preview' THEN CAST(:now AS BIGINT) END"
        " WHERE id = :id AND state IN ('preview', 'running')",
        {"id": broadcast_id, "now": now},
    )
    return cursor.rowcount == 1


def leave_out_rest(conn: Connection, broadcast_id: int) -> None:
    """Count the recipients without a message as left out, and drop the messages that are not sent yet."""
    conn.execute(
        "UPDATE outbox SET state = 'dropped', error = 'the broadcast was stopped' WHERE state = 'ready'"
        " AND id IN (SELECT outbox_id FROM broadcast_recipients WHERE broadcast_id = ?)",
        (broadcast_id,),
    )
    # What is behind them in their lanes may be due sooner.
    signal(conn, "outbox")
    rest = conn.execute(
        "DELETE FROM broadcast_recipients WHERE broadcast_id = ? AND outbox_id IS NULL", (broadcast_id,)
    ).rowcount
    _count(conn, broadcast_id, left_out=rest)


def finish(conn: Connection, broadcast_id: int, now: int) -> Broadcast:
    """Finish a broadcast that has no pending recipients."""
    row = conn.execute(
        "UPDATE broadcasts SET state = CASE state WHEN 'running' THEN 'done' ELSE 'stopped' END, finished_at = ?"
        " WHERE id = ? RETURNING *",
        (now, broadcast_id),
    ).fetchone()
    return read(Broadcast, row)


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` broadcasts that finished, or previews that expired, before ``before``.

    Return how many.
    """
    cursor = conn.execute(
        "DELETE FROM broadcasts WHERE id IN (SELECT id FROM broadcasts WHERE finished_at < :before"
        " OR (state = 'preview' AND expires_at < :before) ORDER BY id LIMIT :limit)",
        {"before": before, "limit": limit},
    )
    return cursor.rowcount
