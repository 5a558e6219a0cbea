"""Files that are sent at the press of a button: once, however often it is pressed, and again after a while."""

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox

__all__ = ["next_copy"]

AGAIN_MS = 30_000
"""Milliseconds after which a press sends the file once more: the person may have deleted it."""
MOST_COPIES = 50


def next_copy(conn: Connection, key: str, now: int) -> int | None:
    """Return the part of the next copy of a file; None if one is on its way or has just arrived.

    Args:
        conn: an open transaction.
        key: of the file, as the ``turn_id`` of its rows.
        now: UTC, in milliseconds.
    """
    sent = outbox.of_turn(conn, key)
    if not sent:
        return 0
    last = sent[-1]
    is_recent = last.state in {"ready", "sending"} or 0 <= now - (last.sent_at or 0) < AGAIN_MS
    return None if is_recent or len(sent) >= MOST_COPIES else last.part + 1
