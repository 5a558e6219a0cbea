"""Messages of a lane that have come after a question and before its answer."""

from tgllm.db.engine.unit import Connection

__all__ = ["has_messages_between"]

SLACK = 60_000
"""Time in ms by which a message may have been sent before an earlier one was stored."""

_BETWEEN = """
    SELECT EXISTS (
        SELECT 1 FROM inbox WHERE update_id > :update_id AND lane = :lane AND kind = 'message' AND control = 0
            AND leader_id IS NOT :update_id AND error IS NOT 'cancelled'
    ) OR EXISTS (
        SELECT 1 FROM outbox WHERE state = 'ready' AND lane = :lane AND kind = 'send' AND turn_id IS NOT :turn_id
    ) OR EXISTS (
        SELECT 1 FROM outbox WHERE state = 'sending' AND lane = :lane AND kind = 'send' AND turn_id IS NOT :turn_id
            AND created_at > :received_at
    ) OR EXISTS (
        SELECT 1 FROM outbox WHERE sent_at >= :since AND lane = :lane AND kind = 'send' AND turn_id IS NOT :turn_id
            AND message_id > :message_id
    )
"""


def has_messages_between(
    conn: Connection, lane: str, *, update_id: int, turn_id: str, message_id: int, received_at: int
) -> bool:
    """Return whether other messages stand between a question and an answer that is sent now, or will do so.

    Messages of people that are not stored because they need no answer, and commands that don't wait for their turn, do
    not count; answers to the latter do.

    Args:
        conn: an open connection.
        lane: the lane of both.
        update_id: the update of the question; what is merged into it is part of the question.
        turn_id: the turn, whose messages don't count.
        message_id: Telegram's id of the question; ids grow within a chat.
        received_at: when the question was stored, UTC in milliseconds.
    """
    values = {
        "lane": lane,
        "update_id": update_id,
        "turn_id": turn_id,
        "message_id": message_id,
        "received_at": received_at,
        "since": received_at - SLACK,
    }
    return bool(conn.execute(_BETWEEN, values).fetchone()[0])
