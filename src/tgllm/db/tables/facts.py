"""Facts: what the model of a chat or topic is told with every question, because people there want it to remember."""

import sqlite3
from dataclasses import dataclass

from tgllm.db.engine.rows import clean, read_all

__all__ = ["Fact", "add", "delete", "list_for"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A stored fact; the fields are the columns of the table ``facts``."""

    id: int
    lane: str
    user_id: int | None
    text: str
    created_at: int


def add(conn: sqlite3.Connection, lane: str, user_id: int | None, text: str, now: int) -> None:
    """Keep a fact for a lane."""
    conn.execute(
        "INSERT INTO facts (lane, user_id, text, created_at) VALUES (?, ?, ?, ?)", (lane, user_id, clean(text), now)
    )


def delete(conn: sqlite3.Connection, lane: str, fact_id: int) -> bool:
    """Forget a fact; False where the lane has no such one."""
    return conn.execute("DELETE FROM facts WHERE lane = ? AND id = ?", (lane, fact_id)).rowcount == 1


def list_for(conn: sqlite3.Connection, lane: str) -> list[Fact]:
    """The facts of a lane, the oldest first."""
    return read_all(Fact, conn.execute("SELECT * FROM facts WHERE lane = ? ORDER BY id", (lane,)))
