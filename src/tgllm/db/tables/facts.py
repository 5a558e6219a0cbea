"""Table ``facts``: texts that people pin or keep, and that are sent to the model with every question."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean, dumps, read_all
from tgllm.db.engine.unit import Connection

__all__ = ["Fact", "FactSource", "NewFact", "add", "delete", "delete_all", "list_for"]

FactSource = Literal["person", "model"]
"""Whose words a fact is in: a person's, or a model's that proposed it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A stored fact; the fields are the columns of the table ``facts``."""

    id: int
    lane: str
    user_id: int | None
    text: str
    created_at: int
    owner: int | None = None
    source: FactSource = "person"
    message_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact to store."""

    lane: str
    """Where it was added."""
    owner: int | None
    """Telegram's id of the person in all of whose private chat, or of the group in all of which it counts; None: it
    counts only in its lane."""
    user_id: int | None
    text: str
    source: FactSource = "person"
    message_id: int | None = None
    """Telegram's id of the message that it comes from."""


_ADD = "INSERT INTO facts (lane, user_id, text, created_at, owner, source, message_id) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TOLD = "(lane = :lane OR owner = :owner)"


def add(conn: Connection, new: NewFact, now: int) -> None:
    """Add a fact."""
    values = (new.lane, new.user_id, clean(new.text), now, new.owner, new.source, new.message_id)
    conn.execute(_ADD, values)


def delete(conn: Connection, lane: str, owner: int | None, fact_id: int) -> bool:
    """Delete a fact that counts in a lane; return False if no such fact does."""
    return delete_all(conn, lane, owner, [fact_id]) == 1


def delete_all(conn: Connection, lane: str, owner: int | None, ids: Collection[int]) -> int:
    """Delete those of some facts that count in a lane, and return their number."""
    values = {"lane": lane, "owner": owner, "ids": dumps(sorted(ids))}
    query = f"DELETE FROM facts WHERE {_TOLD} AND id IN (SELECT value FROM json_each(:ids))"  # noqa: S608 (constants)
    return conn.execute(query, values).rowcount


def list_for(conn: Connection, lane: str, owner: int | None) -> list[Fact]:
    """Return the facts that count in a lane, oldest first.

    Args:
        conn: an open transaction.
        lane: the lane.
        owner: whose facts count in it besides its own: see ``NewFact.owner``.
    """
    query = f"SELECT * FROM facts WHERE {_TOLD} ORDER BY id"  # noqa: S608 (constants)
    return read_all(Fact, conn.execute(query, {"lane": lane, "owner": owner}))
