"""Table ``inbox``: the durable queue of updates from Telegram.

Updates of one lane run one after another, in the order of their ids. Bot API (getUpdates): the ids of consecutive
updates increase, but after a week without updates the next id is random. So a duplicate is recognised by its id alone,
never by comparison with the largest known id.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from tgllm.db.engine.rows import BOOL, clean_error, dumps, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "CALLBACK_LIFE",
    "SPARED",
    "UPDATE_LIFE",
    "FinalState",
    "InboxRow",
    "NewUpdate",
    "State",
    "add_quarantined",
    "add_updates",
    "cancel",
    "counts",
    "finish",
    "followers",
    "get",
    "has_company",
    "has_overtaken",
    "has_queued",
    "keep_for",
    "latest",
    "mark_asked",
    "merge",
    "open_with_message",
    "overtaking",
    "prune",
    "quarantine",
    "queued",
    "queued_edits",
    "release",
    "rewrite",
    "running",
    "running_in",
    "separate",
]

State = Literal["queued", "running", "done", "failed", "quarantined", "merged", "expired"]
"""State of an update: ``queued``, then ``running``, then ``done`` or ``failed``.

``merged``: part of the turn of another update, its leader. ``expired``: too old to be answered after a restart.
``quarantined``: can't be parsed, kept for inspection. After a crash, running updates are queued again (``recover``) and
their handlers run again. An update that has run in two crashes is a suspect, and runs alone; an update that has crashed
the program alone too often is given up.
"""
FinalState = Literal["done", "failed", "expired"]

UPDATE_LIFE: Final = 24 * 60 * 60 * 1000
"""Age in ms at which an update expires."""
CALLBACK_LIFE: Final = 150 * 1000
"""Age in ms at which a button press can no longer be answered."""


@dataclass(frozen=True, slots=True)
class NewUpdate:
    """A received update to store."""

    update_id: int
    lane: str
    kind: str
    """Type of the update, named as in the Bot API: ``message``, ``callback_query`` and so on."""
    control: bool
    """Whether it bypasses the order of its lane: stop, button presses."""
    payload: str
    """The received update as JSON."""
    sender_id: int | None = None
    """User id of the sender; None if it is unknown."""
    stranger: bool = False
    """Whether the sender may not use the bot in this chat. It decides only when the update is handled."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A stored update; the fields are the columns of the table ``inbox``."""

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
    stranger: bool = field(default=False, metadata=BOOL)
    behind: bool = field(default=False, metadata=BOOL)
    asked: bool = field(default=False, metadata=BOOL)
    crashes: int = 0
    strikes: int = 0
    holder: int | None = None
    """Number of the replica that runs it, or that alone may start it; None where there is one process only."""


def add_updates(conn: Connection, updates: Iterable[NewUpdate], now: int) -> list[NewUpdate]:
    """Queue the updates whose ids are new, and return them."""
    return [update for update in updates if _add_one(conn, update, now)]


# The update is behind another one if its lane has a queued one of the same kind of sender with a smaller id.
_ADD = """
    INSERT INTO inbox (update_id, lane, kind, control, payload, received_at, stranger, behind)
    VALUES (:update_id, :lane, :kind, :control, :payload, :now, :stranger, CASE WHEN :control = 0 AND EXISTS (
        SELECT 1 FROM inbox AS earlier
        WHERE earlier.state = 'queued' AND earlier.control = 0 AND earlier.lane = :lane
            AND earlier.stranger = :stranger AND earlier.update_id < :update_id
    ) THEN 1 ELSE 0 END)
    ON CONFLICT (update_id) DO NOTHING
"""


def _add_one(conn: Connection, update: NewUpdate, now: int) -> bool:
    values = {
        "update_id": update.update_id,
        "lane": update.lane,
        "kind": update.kind,
        "control": update.control,
        "payload": update.payload,
        "now": now,
        "stranger": update.stranger,
    }
    return conn.execute(_ADD, values).rowcount == 1


def add_quarantined(conn: Connection, update_id: int, lane: str, error: str, now: int) -> bool:
    """Add an update that can't be decoded or stored, as quarantined and with its id only.

    Returns:
        False, and nothing is changed, if an update with this id is stored.
    """
    cursor = conn.execute(
        "INSERT INTO inbox (update_id, lane, kind, control, payload, state, received_at, finished_at, error)"
        " VALUES (?, ?, 'unknown', 0, ?, 'quarantined', ?, ?, ?) ON CONFLICT (update_id) DO NOTHING",
        (update_id, lane, dumps({"update_id": update_id}), now, now, clean_error(error)),
    )
    return cursor.rowcount == 1


def mark_asked(conn: Connection, update_id: int) -> None:
    """Record that the present start of an update calls a model."""
    conn.execute("UPDATE inbox SET asked = 1 WHERE update_id = ? AND state = 'running'", (update_id,))


def finish(conn: Connection, update_id: int, state: FinalState, now: int, error: str | None = None) -> bool:
    """Set the final state of an update; return False, and change nothing, if it had finished already."""
    cursor = conn.execute(
        "UPDATE inbox SET state = ?, finished_at = ?, error = ? WHERE update_id = ? AND state IN ('queued', 'running')",
        (state, now, clean_error(error), update_id),
    )
    return cursor.rowcount == 1


def cancel(conn: Connection, update_id: int, now: int) -> bool:
    """Cancel a queued update; return False, and change nothing, if it is not queued."""
    cursor = conn.execute(
        "UPDATE inbox SET state = 'done', finished_at = ?, error = 'cancelled'"
        " WHERE update_id = ? AND state = 'queued'",
        (now, update_id),
    )
    return cursor.rowcount == 1


def quarantine(conn: Connection, update_id: int, now: int, error: str) -> bool:
    """Quarantine an update that can't be parsed: it is kept for inspection and never started again."""
    cursor = conn.execute(
        "UPDATE inbox SET state = 'quarantined', finished_at = ?, error = ?"
        " WHERE update_id = ? AND state IN ('queued', 'running')",
        (now, clean_error(error), update_id),
    )
    return cursor.rowcount == 1


def queued(conn: Connection, lane: str, limit: int) -> list[InboxRow]:
    """Return the first ``limit`` queued updates of ``lane``, oldest first; without control updates."""
    cursor = conn.execute(
        "SELECT * FROM inbox WHERE lane = ? AND state = 'queued' AND control = 0 ORDER BY update_id LIMIT ?",
        (lane, limit),
    )
    return read_all(InboxRow, cursor)


def queued_edits(conn: Connection) -> list[InboxRow]:
    """Return the queued edits of messages, by lane, oldest first."""
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
        WHEN 'message' THEN CAST(json_extract(payload, '$.message.message_id') AS INTEGER)
        WHEN 'edited_message' THEN CAST(json_extract(payload, '$.edited_message.message_id') AS INTEGER)
    END
    ORDER BY update_id DESC
"""


def open_with_message(conn: Connection, lane: str, message_id: int, before: int) -> list[InboxRow]:
    """Return the unfinished updates about a message, new or edited; newest first.

    Args:
        conn: an open connection.
        lane: the message's lane.
        message_id: Telegram's message id.
        before: only updates with smaller ids.

    Returns:
        Updates that are queued or running, or merged into one that is.
    """
    values = {"lane": lane, "message_id": message_id, "before": before}
    return read_all(InboxRow, conn.execute(_OPEN_WITH_MESSAGE, values))


def rewrite(conn: Connection, update_id: int, payload: str) -> bool:
    """Replace the payload of an update; return False, and change nothing, unless it is queued or merged."""
    cursor = conn.execute(
        "UPDATE inbox SET payload = ? WHERE update_id = ? AND state IN ('queued', 'merged')", (payload, update_id)
    )
    return cursor.rowcount == 1


def keep_for(conn: Connection, update_id: int, holder: int) -> None:
    """Let only one replica start a queued update, which has its content in memory."""
    conn.execute("UPDATE inbox SET holder = ? WHERE update_id = ? AND state = 'queued'", (holder, update_id))


def release(conn: Connection, update_id: int) -> bool:
    """Queue a running update again, without counting the attempt; updates merged into it stay merged."""
    cursor = conn.execute(
        "UPDATE inbox SET state = 'queued', attempts = attempts - 1, started_at = NULL, holder = NULL"
        " WHERE update_id = ? AND state = 'running'",
        (update_id,),
    )
    return cursor.rowcount == 1


def running(conn: Connection) -> list[InboxRow]:
    """Return the running update of each lane; without control updates."""
    cursor = conn.execute("SELECT * FROM inbox WHERE state = 'running' AND control = 0 ORDER BY update_id")
    return read_all(InboxRow, cursor)


def running_in(conn: Connection, lane: str) -> list[InboxRow]:
    """Return the running update of ``lane``, at most one; without control updates."""
    cursor = conn.execute("SELECT * FROM inbox WHERE lane = ? AND state = 'running' AND control = 0", (lane,))
    return read_all(InboxRow, cursor)


_HAS_QUEUED = """
    SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'queued' AND control = 0)
        OR EXISTS (SELECT 1 FROM inbox WHERE state = 'queued' AND control = 1 AND stranger = 1)
"""


def has_queued(conn: Connection) -> bool:
    """Return whether any update is queued, which may have to wait; without control updates of people with access."""
    return bool(conn.execute(_HAS_QUEUED).fetchone()[0])


_HAS_COMPANY = """
    SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'queued' AND control = 0 AND lane = ?)
        OR EXISTS (SELECT 1 FROM inbox WHERE leader_id = ?)
"""


def has_company(conn: Connection, row: InboxRow) -> bool:
    """Return whether updates wait in the lane of ``row``, or are merged into it; without control updates."""
    return bool(conn.execute(_HAS_COMPANY, (row.lane, row.update_id)).fetchone()[0])


def merge(conn: Connection, leader: int, followers: Iterable[int], now: int) -> list[int]:
    """Merge queued updates into the running turn of ``leader``, in the same lane.

    Returns:
        The merged ids; updates that are no longer queued or belong to another lane are left out.
    """
    merged = [update_id for update_id in followers if _merge_one(conn, leader, update_id, now)]
    return sorted(merged)


def _merge_one(conn: Connection, leader: int, update_id: int, now: int) -> bool:
    cursor = conn.execute(
        "UPDATE inbox SET state = 'merged', leader_id = :leader, finished_at = :now"
        " WHERE update_id = :id AND state = 'queued' AND control = 0"
        " AND lane = (SELECT lane FROM inbox WHERE update_id = :leader AND state = 'running')",
        {"leader": leader, "now": now, "id": update_id},
    )
    return cursor.rowcount == 1


def separate(conn: Connection, leader: int) -> None:
    """Undo a merge: queue the updates that were merged into ``leader``, which is queued again itself."""
    conn.execute(
        "UPDATE inbox SET state = 'queued', leader_id = NULL, finished_at = NULL WHERE leader_id = ?", (leader,)
    )


def has_overtaken(conn: Connection, lane: str, first: int, last: int) -> bool:
    """Return whether a message between two updates of ``lane`` did not wait for its turn."""
    cursor = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM inbox WHERE update_id BETWEEN ? AND ?"
        " AND lane = ? AND kind = 'message' AND control = 1)",
        (first + 1, last - 1, lane),
    )
    return bool(cursor.fetchone()[0])


def overtaking(conn: Connection, lane: str, first: int) -> int:
    """Return how many messages of ``lane`` after an update are handled, or will be, without waiting for their turn."""
    cursor = conn.execute(
        "SELECT count(*) FROM inbox WHERE update_id > ? AND lane = ? AND kind = 'message' AND control = 1"
        " AND state IN ('queued', 'running')",
        (first, lane),
    )
    return int(cursor.fetchone()[0])


def followers(conn: Connection, leader: int) -> list[InboxRow]:
    """Return the updates that are merged into ``leader``, in order."""
    cursor = conn.execute("SELECT * FROM inbox WHERE leader_id = ? ORDER BY update_id", (leader,))
    return read_all(InboxRow, cursor)


def get(conn: Connection, update_id: int) -> InboxRow | None:
    """Return an update; None if there is none with that id."""
    return read_one(InboxRow, conn.execute("SELECT * FROM inbox WHERE update_id = ?", (update_id,)))


def counts(conn: Connection) -> dict[State, int]:
    """Return the number of updates by state, without zeros."""
    return {row[0]: row[1] for row in conn.execute("SELECT state, count(*) FROM inbox GROUP BY state")}


SPARED: Final = """
    SELECT coalesce(leader_id, update_id) FROM inbox WHERE update_id IN (SELECT value FROM json_each(:spared))
"""
"""Query for the leaders of the updates in ``spared``, a JSON array: merged updates are deleted with their leaders."""

_OLD = f"""
    SELECT update_id FROM inbox
    WHERE finished_at < :before AND leader_id IS NULL AND update_id NOT IN ({SPARED})
    ORDER BY finished_at LIMIT :limit
"""  # noqa: S608 (constants)


def prune(conn: Connection, before: int, limit: int, *, spared: Iterable[int]) -> int:
    """Delete finished turns, with all their updates.

    Args:
        conn: an open write transaction.
        before: UTC in milliseconds; turns that finished later stay.
        limit: maximum number of turns.
        spared: updates to keep, with their turns: Telegram may send them again, and they must be recognised.

    Returns:
        The number of deleted turns.
    """
    values = {"before": before, "limit": limit, "spared": dumps([*spared])}
    return conn.execute(f"DELETE FROM inbox WHERE update_id IN ({_OLD})", values).rowcount  # noqa: S608 (constants)


def latest(conn: Connection, limit: int) -> list[int]:
    """Return the ids of the updates that were received last."""
    cursor = conn.execute("SELECT update_id FROM inbox ORDER BY received_at DESC, update_id DESC LIMIT ?", (limit,))
    return [int(row[0]) for row in cursor]
