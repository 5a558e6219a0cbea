"""Table ``tool_rounds``: answers of models that consist of calls of tools, until their turn is stored."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tgllm.db.engine.rows import JSON, clean, dumps, read_all
from tgllm.db.engine.unit import Connection

if TYPE_CHECKING:
    from tgllm.api.types import JsonObject

__all__ = ["NewRound", "StoredRound", "add", "any_stored", "drop", "drop_ended", "of_turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRound:
    """An answer to store; its calls are rows of ``tool_calls``."""

    turn_id: str
    round: int
    """1 for the first one of the turn."""
    lane: str
    user_id: int | None
    """None in the shell."""
    provider: str
    model: str
    text: str = ""
    """What the model said before its calls."""
    reasoning: str = ""
    provider_data: "JsonObject | None" = None


@dataclass(frozen=True, slots=True)
class StoredRound:
    """A stored answer; the fields are the columns of the table ``tool_rounds``."""

    turn_id: str
    round: int
    lane: str
    user_id: int | None
    provider: str
    model: str
    text: str
    reasoning: str
    provider_data: dict[str, Any] | None = field(metadata=JSON)
    created_at: int


def add(conn: Connection, new: NewRound, now: int) -> None:
    """Store a round.

    Raises:
        sqlite3.IntegrityError: the turn already has a round with that number.
    """
    conn.execute(
        "INSERT INTO tool_rounds (turn_id, round, lane, user_id, provider, model, text, reasoning, provider_data,"
        " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.turn_id,
            new.round,
            new.lane,
            new.user_id,
            new.provider,
            new.model,
            clean(new.text),
            clean(new.reasoning),
            None if new.provider_data is None else dumps(new.provider_data),
            now,
        ),
    )


def any_stored(conn: Connection) -> bool:
    """Return whether there is any round."""
    return conn.execute("SELECT 1 FROM tool_rounds LIMIT 1").fetchone() is not None


def of_turn(conn: Connection, turn_id: str) -> list[StoredRound]:
    """Return the rounds of a turn, in order."""
    cursor = conn.execute("SELECT * FROM tool_rounds WHERE turn_id = ? ORDER BY round", (turn_id,))
    return read_all(StoredRound, cursor)


def drop_ended(conn: Connection) -> int:
    """Delete the rounds of turns whose updates are over, such as after too many crashes; return how many.

    A turn that an update has started is named after it.
    """
    cursor = conn.execute(
        "DELETE FROM tool_rounds WHERE turn_id GLOB 'u[-0-9]*' AND NOT EXISTS ("
        " SELECT 1 FROM inbox WHERE update_id = CAST(substr(turn_id, 2) AS INTEGER)"
        " AND state IN ('queued', 'running', 'merged'))"
    )
    return cursor.rowcount


def drop(conn: Connection, turn_id: str) -> None:
    """Delete the rounds of a turn."""
    conn.execute("DELETE FROM tool_rounds WHERE turn_id = ?", (turn_id,))
