"""Table ``facts``: texts that people pin in a chat or topic and that are sent to the model with every question."""

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
    """Add a fact to a lane."""
    conn.execute(
        "INSERT INTO facts (lane, user_id, text, created_at) VALUES (?, ?, ?, ?)", (lane, user_id, clean(text), now)
    )


def delete(conn: sqlite3.Connection, lane: str, fact_id: int) -> bool:
    """Delete a fact; return False if the lane has no such fact."""
    return conn.execute("DELETE FROM facts WHERE lane = ? AND id = ?", (lane, fact_id)).rowcount == 1


def list_for(conn: sqlite3.Connection, lane: str) -> list[Fact]:
    """Return the facts of a lane, oldest first."""
    return read_all(Fact, conn.execute("SELECT * FROM facts WHERE lane = ? ORDER BY id", (lane,)))
