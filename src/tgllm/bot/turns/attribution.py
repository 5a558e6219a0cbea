"""Decides whether an answer in a private chat quotes its question, so that it is clear which one it answers.

In groups, each answer is a reply.
"""

from collections.abc import Callable

from tgllm.bot.scope import Scope
from tgllm.bot.updates.raw import MESSAGE_KINDS, content_of
from tgllm.bot.updates.values import as_id
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.between import has_messages_between
from tgllm.services.conversations.turn import Turn

__all__ = ["question_to_quote"]


def question_to_quote(scope: Scope, turn: Turn) -> Callable[[Connection], int | None] | None:
    """Return the query for the id of the question's message if other messages came before the answer; else for None.

    Also after a restart, when the answer comes late. The earlier answer to a question that was edited is another
    message. There is no query for a question that is asked again: its message is not that of the update.
    """
    row = scope.row
    content = content_of(row)
    message_id = as_id(content.get("message_id")) if row.kind in MESSAGE_KINDS else None
    if not message_id or message_id not in turn.message_ids:
        return None
    if row.attempts > 1:
        return lambda _conn: message_id
    sent_at = as_id(content.get("date")) if row.kind == "edited_message" else None
    received_at = row.received_at if sent_at is None else min(row.received_at, 1000 * sent_at)

    def query(conn: Connection) -> int | None:
        is_between = has_messages_between(
            conn,
            row.lane,
            update_id=row.update_id,
            turn_id=turn.id,
            message_id=message_id,
            received_at=received_at,
        )
        return message_id if is_between else None

    return query
