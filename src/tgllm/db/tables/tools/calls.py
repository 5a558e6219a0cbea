"""Table ``tool_calls``: calls of tools by models, with their results; who made them, and how they ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tgllm.db.engine.rows import JSON, clean, clean_error, dumps, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection

if TYPE_CHECKING:
    from tgllm.api.types import JsonObject

__all__ = [
    "CallState",
    "Ended",
    "NewCall",
    "StoredCall",
    "add",
    "end",
    "get",
    "of_ids",
    "of_turn",
    "of_user",
    "prune",
    "recent",
    "start",
]

CallState = Literal[
    "asked",
    "waiting",
    "approved",
    "running",
    "done",
    "failed",
    "invalid",
    "refused",
    "denied",
    "expired",
    "stopped",
    "unknown",
]
"""See the comment in ``services/tools/call_book.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """A call to store."""

    turn_id: str
    round: int
    place: int
    """From 0, among the calls of its round."""
    call_id: str
    tool: str
    plugin_id: str | None
    """None: there is no such tool."""
    lane: str
    user_id: int | None
    """None in the shell."""
    arguments: str
    """As the model wrote them."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A stored call; the fields are the columns of the table ``tool_calls``."""

    id: int
    turn_id: str
    round: int
    place: int
    call_id: str
    tool: str
    plugin_id: str | None
    lane: str
    user_id: int | None
    arguments: str
    state: CallState
    approver: Literal["asker", "admins"] | None
    decided_by: int | None
    decided_at: int | None
    expires_at: int | None
    card_id: int | None
    mark: int
    result: str | None
    extras: dict[str, Any] = field(metadata=JSON)
    error: str | None
    created_at: int
    started_at: int | None
    finished_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call has ended."""

    state: CallState
    result: str
    """What the model reads."""
    extras: "JsonObject" = field(default_factory=dict[str, Any])
    """Sources and files."""
    error: str | None = None
    """For logs and the audit."""


def add(conn: Connection, new: NewCall, now: int) -> int:
    """Store a call, in the state ``asked``, and return its id.

    Raises:
        sqlite3.IntegrityError: there is a call at this place already.
    """
    cursor = conn.execute(
        "INSERT INTO tool_calls (turn_id, round, place, call_id, tool, plugin_id, lane, user_id, arguments, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            new.turn_id,
            new.round,
            new.place,
            clean(new.call_id),
            clean(new.tool),
            new.plugin_id,
            new.lane,
            new.user_id,
            clean(new.arguments),
            now,
        ),
    )
    return new_id(cursor)


def get(conn: Connection, row_id: int) -> StoredCall | None:
    """Return a call; None if there is none with that id."""
    return read_one(StoredCall, conn.execute("SELECT * FROM tool_calls WHERE id = ?", (row_id,)))


def of_ids(conn: Connection, ids: Collection[int]) -> list[StoredCall]:
    """Return the calls with these ids, in the order of the ids."""
    cursor = conn.execute(
        "SELECT * FROM tool_calls WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (dumps(sorted(ids)),)
    )
    return read_all(StoredCall, cursor)


def of_turn(conn: Connection, turn_id: str) -> list[StoredCall]:
    """Return the calls of a turn, in order."""
    cursor = conn.execute("SELECT * FROM tool_calls WHERE turn_id = ? ORDER BY round, place", (turn_id,))
    return read_all(StoredCall, cursor)


def start(conn: Connection, row_id: int, now: int) -> None:
    """Record that a call starts."""
    conn.execute("UPDATE tool_calls SET state = 'running', started_at = ? WHERE id = ?", (now, row_id))


def end(conn: Connection, row_id: int, ended: Ended, now: int) -> None:
    """Store how a call has ended, unless it has a result already."""
    conn.execute(
        "UPDATE tool_calls SET state = ?, result = ?, extras = ?, error = ?, finished_at = ?"
        " WHERE id = ? AND result IS NULL",
        (ended.state, clean(ended.result), dumps(ended.extras), clean_error(ended.error), now, row_id),
    )


def recent(conn: Connection, limit: int, offset: int = 0) -> Sequence[StoredCall]:
    """Return the latest calls, newest first."""
    cursor = conn.execute("SELECT * FROM tool_calls ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset))
    return read_all(StoredCall, cursor)


def of_user(conn: Connection, user_id: int) -> list[StoredCall]:
    """Return the calls on behalf of a person, oldest first."""
    return read_all(StoredCall, conn.execute("SELECT * FROM tool_calls WHERE user_id = ? ORDER BY id", (user_id,)))


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete up to ``limit`` calls from before ``before`` that belong to no running turn; return how many."""
    cursor = conn.execute(
        "DELETE FROM tool_calls WHERE id IN (SELECT id FROM tool_calls WHERE created_at < ?"
        " AND turn_id NOT IN (SELECT turn_id FROM tool_rounds) ORDER BY created_at LIMIT ?)",
        (before, limit),
    )
    return cursor.rowcount
