"""Calls that may have arrived: the message ids that they may have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.rows import read_all, read_one
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import known_ids
from tgllm.db.tables.outbox import OutboxRow

__all__ = ["Doubt", "doubt_of", "sent_lately"]


# Of a row whose content was erased it can't be told what its message looks like: see ``outbox.forget_ids``.
_MAY_HAVE_ARRIVED: Final = """
    SELECT * FROM outbox
    WHERE doubt = 1 AND state IN ('ready', 'sending', 'uncertain', 'dropped') AND payload <> '{}'
    UNION ALL
    SELECT * FROM outbox WHERE state = 'sending' AND doubt = 0 AND payload <> '{}'
        AND (kind = 'send' OR json_extract(payload, '$.edit_of_part') IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known about the message of a row that may have arrived."""

    above: int
    """The highest id that was known before the call."""
    known: frozenset[int]
    """Known ids above it."""
    rivals: Sequence[OutboxRow]
    """Other rows to the same chat that may have arrived: those in doubt, those under way, and those given up."""
    open_rows: int
    """Number of rows in doubt in the same sequence, this one included."""


def doubt_of(conn: Connection, row: OutboxRow) -> Doubt | None:
    """Return what is known about a row; None if nothing is."""
    if row.chat_id is None or row.known_id is None:
        return None
    sequence = known_ids.sequence_of(row.chat_id)
    known = known_ids.known_above(conn, sequence, row.known_id)
    if known and max(known) - row.known_id >= known_ids.KEPT:
        return None
    rows = read_all(OutboxRow, conn.execute(_MAY_HAVE_ARRIVED))
    others = [other for other in rows if other.id != row.id and other.chat_id is not None]
    in_sequence = [other for other in others if known_ids.sequence_of(other.chat_id or 0) == sequence]
    rivals = [other for other in in_sequence if other.chat_id == row.chat_id]
    waiting = [other for other in in_sequence if other.doubt and other.state in {"ready", "sending"}]
    return Doubt(row.known_id, known, rivals, 1 + len(waiting))


def sent_lately(conn: Connection, row: OutboxRow, message_id: int) -> OutboxRow | None:
    """Return the row that has sent a message to the chat of ``row``, if it is one of the latest that were sent."""
    query = """
        SELECT * FROM (SELECT * FROM outbox WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 100)
        WHERE chat_id = ? AND message_id = ? AND kind = 'send'
    """
    return read_one(OutboxRow, conn.execute(query, (row.chat_id, message_id)))
