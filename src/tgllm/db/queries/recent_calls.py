"""Calls of the last minute, which Telegram's rates still count after a restart."""

from tgllm.db.engine.unit import Connection

__all__ = ["recent_calls"]


def recent_calls(conn: Connection, since: int) -> list[tuple[int, int]]:
    """Return chat and time of the calls of the outbox since a time (UTC in ms), oldest first.

    Those under way count too. Call it before the recovery, which queues them again.
    """
    cursor = conn.execute(
        "SELECT chat_id, sent_at AS at FROM outbox WHERE sent_at >= :since AND chat_id IS NOT NULL"
        " UNION ALL SELECT chat_id, claimed_at FROM outbox"
        " WHERE state = 'sending' AND claimed_at >= :since AND chat_id IS NOT NULL ORDER BY at",
        {"since": since},
    )
    return [(int(chat_id), int(at)) for chat_id, at in cursor]
