"""What an operator does about single updates: looks at them, has them handled again, or drops them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, State

__all__ = [
    "ENDED_BADLY",
    "MOST_ID",
    "NOTABLE",
    "Call",
    "Listing",
    "Refusal",
    "calls_of",
    "drop",
    "ended_badly",
    "listing",
    "retry",
]

MOST_ID: Final = 2**63 - 1
"""Largest id of an update that the database can have."""
ENDED_BADLY: Final[Sequence[State]] = ("failed", "quarantined", "expired")
"""States of updates that were not answered as they should."""
NOTABLE: Final[Sequence[State]] = ("queued", "running", *ENDED_BADLY)
"""States that are listed unless others are asked for."""

Refusal = Literal["unknown", "done", "merged", "waiting", "running", "empty", "sending"]
"""Why nothing was changed: ``empty``: the content is not kept; ``sending``: messages of the turn are not sent yet."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Some updates, without their content."""

    rows: Sequence[InboxRow]
    """Those that wait first, oldest first; then the others, the latest first."""
    total: int
    """Number of all updates in these states."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the Bot API that an update has led to."""

    id: int
    method: str
    state: str
    message_id: int | None
    error: str | None


_COLUMNS = (
    "update_id, lane, kind, control, '' AS payload, state, leader_id, attempts, received_at, started_at, finished_at,"
    " error, stranger, behind, asked, crashes, strikes, holder"
)
_LISTED = f"""
    SELECT {_COLUMNS} FROM inbox WHERE state IN (SELECT value FROM json_each(:states))
    ORDER BY finished_at IS NOT NULL, CASE WHEN finished_at IS NULL THEN update_id ELSE 0 END, finished_at DESC,
        update_id DESC
    LIMIT :limit
"""  # noqa: S608 (constants)


def listing(conn: Connection, states: Sequence[State], limit: int) -> Listing:
    """Return up to ``limit`` updates in these states."""
    counts = inbox.counts(conn)
    rows = read_all(InboxRow, conn.execute(_LISTED, {"states": dumps([*states]), "limit": limit}))
    return Listing(rows, sum(counts.get(state, 0) for state in states))


def ended_badly(conn: Connection) -> list[int]:
    """Return the ids of all updates that ended badly, oldest first."""
    query = "SELECT update_id FROM inbox WHERE state IN (SELECT value FROM json_each(?)) ORDER BY update_id"
    return [int(row[0]) for row in conn.execute(query, (dumps([*ENDED_BADLY]),))]


def calls_of(conn: Connection, turn_id: str) -> list[Call]:
    """Return the calls of the Bot API of a turn, in order."""
    query = "SELECT id, method, state, message_id, error FROM outbox WHERE turn_id = ? ORDER BY id"
    return read_all(Call, conn.execute(query, (turn_id,)))


def retry(conn: Connection, update_id: int, turn_id: str, now: int) -> Refusal | None:
    """Queue an update that ended badly, as if it had just arrived; return why not, or None.

    Its crashes are forgotten, and so are the messages about its end; updates that are merged into it stay merged. Its
    attempts go on counting, since the calls of its turn have numbers.

    Args:
        conn: an open write transaction.
        update_id: the update.
        turn_id: id of its turn.
        now: UTC, in milliseconds.
    """
    row = inbox.get(conn, update_id)
    refusal = _refusal(row, {"queued": "waiting", "running": "running", "done": "done", "merged": "merged"})
    if row is None or refusal is not None:
        return refusal
    if row.payload == dumps({"update_id": update_id}):
        return "empty"
    if any(call.state in {"ready", "sending", "uncertain"} for call in calls_of(conn, turn_id)):
        return "sending"
    conn.execute("DELETE FROM outbox WHERE turn_id = ?", (turn_id,))
    conn.execute(
        "UPDATE inbox SET state = 'queued', finished_at = NULL, started_at = NULL, error = NULL, received_at = ?,"
        " crashes = 0, strikes = 0, behind = 0, holder = NULL WHERE update_id = ?",
        (now, update_id),
    )
    return None


def drop(conn: Connection, update_id: int, turn_id: str, now: int, *, stopped: bool) -> Refusal | None:
    """End an update without an answer, also without one that waits to be sent; return why not, or None.

    Its row stays until retention deletes it, since Telegram may deliver the update again.

    Args:
        conn: an open write transaction.
        update_id: the update.
        turn_id: id of its turn.
        now: UTC, in milliseconds.
        stopped: whether the bot is stopped; then an update that was running can be dropped as well.
    """
    row = inbox.get(conn, update_id)
    refused: dict[State, Refusal] = {"done": "done", "merged": "merged"}
    if not stopped:
        refused["running"] = "running"
    refusal = _refusal(row, refused)
    if refusal is None:
        conn.execute(
            "UPDATE inbox SET state = 'done', finished_at = coalesce(finished_at, ?), error = 'dropped in the shell'"
            " WHERE update_id = ?",
            (now, update_id),
        )
        conn.execute("DELETE FROM outbox WHERE turn_id = ? AND state = 'ready'", (turn_id,))
    return refusal


def _refusal(row: InboxRow | None, by_state: Mapping[State, Refusal]) -> Refusal | None:
    return "unknown" if row is None else by_state.get(row.state)
