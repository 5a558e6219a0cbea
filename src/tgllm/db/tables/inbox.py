"""The inbox: updates from Telegram from the moment they came until they are done.

Updates of one lane run one after the other, in the order of their ids. Bot API (getUpdates): ids of consecutive
updates count up; only after a week without updates the next id is random, so an id says nothing about what is known
already, and an update is known if its own id is.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from tgllm.db.engine.rows import BOOL, clean, dumps, read, read_all, read_one

__all__ = [
    "CALLBACK_LIFE",
    "SPARED",
    "UPDATE_LIFE",
    "FinalState",
    "InboxRow",
    "NewUpdate",
    "Recovered",
    "State",
    "add_updates",
    "cancel",
    "claim",
    "counts",
    "ended_before",
    "finish",
    "followers",
    "get",
    "has_queued",
    "merge",
    "open_with_message",
    "prune",
    "quarantine",
    "queued",
    "queued_edits",
    "recover",
    "release",
    "rewrite",
    "running",
    "running_in",
    "separate",
]

State = Literal["queued", "running", "done", "failed", "quarantined", "merged", "expired"]
FinalState = Literal["done", "failed", "expired"]

UPDATE_LIFE: Final = 24 * 60 * 60 * 1000
"""Milliseconds after which nobody waits for an answer any more."""
CALLBACK_LIFE: Final = 150 * 1000
"""Milliseconds after which a button press can't be answered any more."""


@dataclass(frozen=True, slots=True)
class NewUpdate:
    """An update that has just come."""

    update_id: int
    lane: str
    kind: str
    """Type of update, in the Bot API's words: ``message``, ``callback_query`` and so on."""
    control: bool
    """Whether it waits for nobody: stop, button presses."""
    payload: str
    """The update as JSON, as it came."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An update that is stored; the fields are the columns of the table ``inbox``."""

    update_id: int
    lane: str
    kind: str
    control: bool = field(metadata=BOOL)
    payload: str
    state: State
    leader_id: int | None
    attempts: int
    received_at: int
    started_at: int | None
    finished_at: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a restart found."""

    requeued: int
    """How many updates were running and are queued again."""
    spent: Sequence[InboxRow]
    """Updates that were started as often as allowed and never ended; they have failed, and nobody has been told."""
    expired: Sequence[InboxRow]
    """Updates that are too old to be answered."""


def add_updates(conn: sqlite3.Connection, updates: Iterable[NewUpdate], now: int) -> list[NewUpdate]:
    """Queue those updates that are not known yet; returns them."""
    return [update for update in updates if _add_one(conn, update, now)]


def _add_one(conn: sqlite3.Connection, update: NewUpdate, now: int) -> bool:
    cursor = conn.execute(
        "INSERT INTO inbox (update_id, lane, kind, control, payload, received_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (update_id) DO NOTHING",
        (update.update_id, update.lane, update.kind, update.control, update.payload, now),
    )
    return cursor.rowcount == 1


# Found first and started one by one: a single UPDATE with these as subqueries keeps each of them in a temporary table,
# which costs several times as much.
_FREE = """
    SELECT min(update_id)
    FROM inbox AS head
    WHERE state = 'queued' AND control = 0 AND attempts < :max_attempts
    GROUP BY lane
    HAVING NOT EXISTS (
        SELECT 1 FROM inbox AS busy WHERE busy.lane = head.lane AND busy.state = 'running' AND busy.control = 0
    )
    ORDER BY 1
    LIMIT :limit
"""
_CONTROL = """
    SELECT update_id FROM inbox
    WHERE state = 'queued' AND control = 1 AND attempts < :max_attempts
    ORDER BY update_id
"""
_START = """
    UPDATE inbox SET state = 'running', attempts = attempts + 1, started_at = ? WHERE update_id = ? RETURNING *
"""


def claim(conn: sqlite3.Connection, limit: int, now: int, *, max_attempts: int) -> list[InboxRow]:
    """Start what may start: the oldest queued update of each lane that has none running, and all control updates.

    Args:
        conn: an open write transaction.
        limit: how many lanes at most; control updates come on top, so 0 takes those alone.
        now: UTC in milliseconds.
        max_attempts: an update that was started so often is left alone.

    Returns:
        The started updates: those of the control lane first, then by id.
    """
    values = {"limit": limit, "max_attempts": max_attempts}
    found = conn.execute(_CONTROL, values).fetchall() + conn.execute(_FREE, values).fetchall()
    return [read(InboxRow, conn.execute(_START, (now, row[0])).fetchone()) for row in found]


def finish(conn: sqlite3.Connection, update_id: int, state: FinalState, now: int, error: str | None = None) -> bool:
    """End an update; False where it had ended already, which changes nothing."""
    cursor = conn.execute(
        "UPDATE inbox SET state = ?, finished_at = ?, error = ? WHERE update_id = ? AND state IN ('queued', 'running')",
        (state, now, None if error is None else clean(error), update_id),
    )
    return cursor.rowcount == 1


def cancel(conn: sqlite3.Connection, update_id: int, now: int) -> bool:
    """Take an update away that has not begun; False where it has, which changes nothing."""
    cursor = conn.execute(
        "UPDATE inbox SET state = 'done', finished_at = ?, error = 'cancelled'"
        " WHERE update_id = ? AND state = 'queued'",
        (now, update_id),
    )
    return cursor.rowcount == 1


def quarantine(conn: sqlite3.Connection, update_id: int, now: int, error: str) -> bool:
    """Put aside an update that can't be read; it is kept for a look and never started again."""
    cursor = conn.execute(
        "UPDATE inbox SET state = 'quarantined', finished_at = ?, error = ?"
        " WHERE update_id = ? AND state IN ('queued', 'running')",
        (now, clean(error), update_id),
    )
    return cursor.rowcount == 1


def recover(
    conn: sqlite3.Connection,
    now: int,
    *,
    max_attempts: int,
    life: int = UPDATE_LIFE,
    life_by_kind: Mapping[str, int] | None = None,
) -> Recovered:
    """Sort out what an earlier run left behind; to be called once, before the first ``claim``.

    Args:
        conn: an open write transaction.
        now: UTC in milliseconds.
        max_attempts: an update that was started so often and did not end has failed.
        life: milliseconds after which an update is too old.
        life_by_kind: the same for control updates, by type; by default ``callback_query`` has ``CALLBACK_LIFE``. A
            press that waits for its lane is like a message: it asks for more than an answer at the button.
    """
    lives = {"callback_query": CALLBACK_LIFE} if life_by_kind is None else life_by_kind

    def life_of(row: InboxRow) -> int:
        return lives.get(row.kind, life) if row.control else life

    expired = [row for row in _open_before(conn, now) if row.received_at <= now - life_of(row)]
    for row in expired:
        finish(conn, row.update_id, "expired", now)
    spent = conn.execute(
        "UPDATE inbox SET state = 'failed', finished_at = ?, error = 'the program ended during each attempt'"
        " WHERE state IN ('queued', 'running') AND attempts >= ? RETURNING *",
        (now, max_attempts),
    )
    failed = sorted(read_all(InboxRow, spent), key=lambda row: row.update_id)
    requeued = conn.execute("UPDATE inbox SET state = 'queued', started_at = NULL WHERE state = 'running'").rowcount
    return Recovered(requeued, failed, expired)


def _open_before(conn: sqlite3.Connection, now: int) -> list[InboxRow]:
    cursor = conn.execute(
        "SELECT * FROM inbox WHERE state IN ('queued', 'running') AND received_at <= ? ORDER BY update_id", (now,)
    )
    return read_all(InboxRow, cursor)


def queued(conn: sqlite3.Connection, lane: str, limit: int) -> list[InboxRow]:
    """The oldest updates that wait in ``lane``, oldest first; control updates are not among them."""
    cursor = conn.execute(
        "SELECT * FROM inbox WHERE lane = ? AND state = 'queued' AND control = 0 ORDER BY update_id LIMIT ?",
        (lane, limit),
    )
    return read_all(InboxRow, cursor)


def queued_edits(conn: sqlite3.Connection) -> list[InboxRow]:
    """The edits of messages that wait, lane by lane, oldest first."""
    cursor = conn.execute(
        "SELECT * FROM inbox WHERE state = 'queued' AND control = 0 AND kind = 'edited_message'"
        " ORDER BY lane, update_id"
    )
    return read_all(InboxRow, cursor)


_OPEN_WITH_MESSAGE = """
    WITH led AS (
        SELECT * FROM inbox WHERE lane = :lane AND control = 0 AND state = 'queued'
        UNION ALL
        SELECT * FROM inbox WHERE lane = :lane AND control = 0 AND state = 'running'
    ), open AS (
        SELECT * FROM led
        UNION ALL
        SELECT part.* FROM led CROSS JOIN inbox AS part ON part.leader_id = led.update_id
    )
    SELECT * FROM open WHERE update_id < :before AND :message_id = CASE kind
        WHEN 'message' THEN json_extract(payload, '$.message.message_id')
        WHEN 'edited_message' THEN json_extract(payload, '$.edited_message.message_id')
    END
    ORDER BY update_id DESC
"""


def open_with_message(conn: sqlite3.Connection, lane: str, message_id: int, before: int) -> list[InboxRow]:
    """The updates that tell of a message and have not ended: it is new, or edited. The latest one comes first.

    Args:
        conn: an open connection.
        lane: where the message is.
        message_id: Telegram's id of it.
        before: only updates with smaller ids.

    Returns:
        Those that wait or run, and those that are merged into one that does.
    """
    values = {"lane": lane, "message_id": message_id, "before": before}
    return read_all(InboxRow, conn.execute(_OPEN_WITH_MESSAGE, values))


def rewrite(conn: sqlite3.Connection, update_id: int, payload: str) -> bool:
    """Replace what an update says, as JSON; False where nobody will read it any more, which changes nothing."""
    cursor = conn.execute(
        "UPDATE inbox SET payload = ? WHERE update_id = ? AND state IN ('queued', 'merged')", (payload, update_id)
    )
    return cursor.rowcount == 1


def release(conn: sqlite3.Connection, update_id: int) -> bool:
    """Give a running update back to the queue, as if it had not been started; what is merged into it stays so."""
    cursor = conn.execute(
        "UPDATE inbox SET state = 'queued', attempts = attempts - 1, started_at = NULL"
        " WHERE update_id = ? AND state = 'running'",
        (update_id,),
    )
    return cursor.rowcount == 1


def running(conn: sqlite3.Connection) -> list[InboxRow]:
    """The updates that all lanes are at; control updates are not among them."""
    cursor = conn.execute("SELECT * FROM inbox WHERE state = 'running' AND control = 0 ORDER BY update_id")
    return read_all(InboxRow, cursor)


def running_in(conn: sqlite3.Connection, lane: str) -> list[InboxRow]:
    """The update that ``lane`` is at; control updates are not among them. At most one."""
    cursor = conn.execute("SELECT * FROM inbox WHERE lane = ? AND state = 'running' AND control = 0", (lane,))
    return read_all(InboxRow, cursor)


def has_queued(conn: sqlite3.Connection) -> bool:
    """Whether any update waits for its lane or for a free place; control updates wait for neither."""
    return bool(
        conn.execute("SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'queued' AND control = 0)").fetchone()[0]
    )


def merge(conn: sqlite3.Connection, leader: int, followers: Iterable[int], now: int) -> list[int]:
    """Make queued updates part of the running turn of ``leader``, which is of the same lane.

    Returns:
        The ids that were merged; one that is not queued any more or is of another lane is left out.
    """
    merged = [update_id for update_id in followers if _merge_one(conn, leader, update_id, now)]
    return sorted(merged)


def _merge_one(conn: sqlite3.Connection, leader: int, update_id: int, now: int) -> bool:
    cursor = conn.execute(
        "UPDATE inbox SET state = 'merged', leader_id = :leader, finished_at = :now"
        " WHERE update_id = :id AND state = 'queued' AND control = 0"
        " AND lane = (SELECT lane FROM inbox WHERE update_id = :leader AND state = 'running')",
        {"leader": leader, "now": now, "id": update_id},
    )
    return cursor.rowcount == 1


def separate(conn: sqlite3.Connection, leader: int) -> None:
    """Queue what was merged into an update that waits again, as if that had not been."""
    conn.execute(
        "UPDATE inbox SET state = 'queued', leader_id = NULL, finished_at = NULL WHERE leader_id = ?", (leader,)
    )


def followers(conn: sqlite3.Connection, leader: int) -> list[InboxRow]:
    """The updates that are part of the turn of ``leader``, in order."""
    cursor = conn.execute("SELECT * FROM inbox WHERE leader_id = ? ORDER BY update_id", (leader,))
    return read_all(InboxRow, cursor)


def ended_before(conn: sqlite3.Connection, lane: str, update_id: int, reach: int) -> list[InboxRow]:
    """Updates of ``lane`` that have ended and were not cancelled, with ids up to ``reach`` below ``update_id``."""
    cursor = conn.execute(
        "SELECT * FROM inbox WHERE update_id BETWEEN ? AND ? AND lane = ? AND finished_at IS NOT NULL"
        " AND error IS NOT 'cancelled' ORDER BY update_id",
        (update_id - reach, update_id - 1, lane),
    )
    return read_all(InboxRow, cursor)


def get(conn: sqlite3.Connection, update_id: int) -> InboxRow | None:
    """One update."""
    return read_one(InboxRow, conn.execute("SELECT * FROM inbox WHERE update_id = ?", (update_id,)))


def counts(conn: sqlite3.Connection) -> dict[State, int]:
    """How many updates are in each state; states without any are left out."""
    return {row[0]: row[1] for row in conn.execute("SELECT state, count(*) FROM inbox GROUP BY state")}


SPARED: Final = """
    SELECT coalesce(leader_id, update_id) FROM inbox WHERE update_id IN (SELECT value FROM json_each(:spared))
"""
"""The updates that lead the turns of those in ``spared``, a JSON array: what is merged goes with its leader."""

_OLD = f"""
    SELECT update_id FROM inbox
    WHERE finished_at < :before AND leader_id IS NULL AND update_id NOT IN ({SPARED})
    ORDER BY finished_at LIMIT :limit
"""  # noqa: S608 (constants)


def prune(conn: sqlite3.Connection, before: int, limit: int, *, spared: Iterable[int]) -> int:
    """Forget turns that have ended, with all their updates.

    Args:
        conn: an open write transaction.
        before: UTC in milliseconds; those that ended later stay.
        limit: how many turns at most.
        spared: updates that stay, with their turns: those that may come again and must be known then.

    Returns:
        How many turns those were.
    """
    values = {"before": before, "limit": limit, "spared": dumps([*spared])}
    return conn.execute(f"DELETE FROM inbox WHERE update_id IN ({_OLD})", values).rowcount  # noqa: S608 (constants)
