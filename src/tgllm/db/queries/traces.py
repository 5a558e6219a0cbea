"""Removal of content that must not be kept: scrubbed updates, and messages with invite links."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.inbox import SPARED

__all__ = ["INVITE", "UnsentLink", "drop_scrubbed", "drop_unsent_links", "has_sent_link", "scrub_sent_links"]

INVITE: Final = "invite:"
"""Prefix of the turn id of outbox rows with an invite link; the id of the invite follows."""

_SENT_LINKS = "turn_id GLOB 'invite:*' AND state IN ('sent', 'failed', 'dropped') AND payload <> '{}'"


@dataclass(frozen=True, slots=True)
class UnsentLink:
    """A message with an invite link that was dropped."""

    lane: str
    invite_id: int


_SCRUBBED = f"""
    DELETE FROM inbox
    WHERE finished_at >= :since AND finished_at < :until AND leader_id IS NULL AND update_id NOT IN ({SPARED})
      AND payload = '{{"update_id":' || update_id || '}}'
      AND NOT EXISTS (SELECT 1 FROM inbox AS follower WHERE follower.leader_id = inbox.update_id)
"""  # noqa: S608 (constants)


def drop_scrubbed(conn: Connection, since: int, before: int, limit: int, *, spared: Iterable[int]) -> tuple[int, int]:
    """Delete one piece of the scrubbed updates (see ``scrub``) that finished in a period.

    Args:
        conn: an open write transaction.
        since: start of the period; UTC, in milliseconds.
        before: end of the period, exclusive.
        limit: maximum number of updates to scan, apart from those that finished in the same millisecond.
        spared: updates to keep; see ``inbox.prune``.

    Returns:
        The number of deleted updates, and the end of the scanned piece: the start of the next one, or ``before``.
    """
    until = _end_of_piece(conn, since, before, limit)
    values = {"since": since, "until": until, "spared": dumps([*spared])}
    return conn.execute(_SCRUBBED, values).rowcount, until


def _end_of_piece(conn: Connection, since: int, before: int, limit: int) -> int:
    query = (
        "SELECT finished_at FROM inbox WHERE finished_at >= ? AND finished_at < ? ORDER BY finished_at LIMIT 1 OFFSET ?"
    )
    row = conn.execute(query, (since, before, limit)).fetchone()
    return before if row is None else max(int(row[0]), since + 1)


def has_sent_link(conn: Connection) -> bool:
    """Return whether the outbox still contains an invite link that was sent."""
    return conn.execute(f"SELECT 1 FROM outbox WHERE {_SENT_LINKS} LIMIT 1").fetchone() is not None  # noqa: S608 (constants)


def scrub_sent_links(conn: Connection) -> int:
    """Remove the payloads of invite links that were sent; return how many."""
    return conn.execute(f"UPDATE outbox SET payload = '{{}}' WHERE {_SENT_LINKS}").rowcount  # noqa: S608 (constants)


_DROP_UNSENT = """
    UPDATE outbox SET state = 'dropped', payload = '{}', error = 'the link is not in memory any more'
    WHERE turn_id GLOB 'invite:*' AND state IN ('ready', 'sending', 'uncertain')
    RETURNING lane, CAST(substr(turn_id, length('invite:') + 1) AS INTEGER) AS invite_id
"""


def drop_unsent_links(conn: Connection) -> list[UnsentLink]:
    """Drop the messages with invite links that may not have arrived, and return them."""
    return read_all(UnsentLink, conn.execute(_DROP_UNSENT))
