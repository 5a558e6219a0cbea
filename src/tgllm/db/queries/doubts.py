"""Calls that may have arrived: the message ids that they may have."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.engine.rows import read_all
from tgllm.db.queries import known_ids
from tgllm.db.tables.outbox import OutboxRow

__all__ = ["Doubt", "doubt_of"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known about the message of a row that may have arrived."""

    above: int
    """The highest id that was known before the call."""
    known: frozenset[int]
    """Known ids above it."""
    rivals: Sequence[OutboxRow]
    """Other rows to the same chat that may have arrived."""
    open_rows: int
    """Number of rows in the same sequence that may have arrived, this one included."""


def doubt_of(conn: sqlite3.Connection, row: OutboxRow) -> Doubt | None:
    """Return what is known about a row; None if nothing is."""
    if row.chat_id is None or row.known_id is None:
        return None
    sequence = known_ids.sequence_of(row.chat_id)
    known = known_ids.known_above(conn, sequence, row.known_id)
    if known and max(known) - row.known_id >= known_ids.KEPT:
        return None
    rows = read_all(
        OutboxRow, conn.execute("SELECT * FROM outbox WHERE doubt = 1 AND state IN ('ready', 'sending') ORDER BY id")
    )
    others = [other for other in rows if other.id != row.id and other.chat_id is not None]
    in_sequence = [other for other in others if known_ids.sequence_of(other.chat_id or 0) == sequence]
    rivals = [other for other in in_sequence if other.chat_id == row.chat_id]
    return Doubt(row.known_id, known, rivals, 1 + len(in_sequence))
