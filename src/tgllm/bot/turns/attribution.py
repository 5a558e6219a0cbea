"""Decides whether an answer in a private chat quotes its question, so that it is clear which one it answers.

In groups, each answer is a reply.
"""

from tgllm.bot.scope import Scope
from tgllm.bot.updates.raw import message_of
from tgllm.bot.updates.values import as_id
from tgllm.db.queries.between import has_messages_between
from tgllm.services.conversations.turn import Turn

__all__ = ["question_to_quote"]


async def question_to_quote(scope: Scope, turn: Turn) -> int | None:
    """Return the id of the question's message if other messages came before the answer; else None.

    Also after a restart, when the answer comes late. None for a question that is asked again: its message is not that
    of the update.
    """
    row = scope.row
    message_id = as_id(message_of(row.payload).get("message_id"))
    if not message_id or message_id not in turn.message_ids:
        return None
    if row.attempts > 1:
        return message_id
    is_between = await scope.read(
        lambda conn: has_messages_between(
            conn,
            row.lane,
            update_id=row.update_id,
            turn_id=turn.id,
            message_id=message_id,
            received_at=row.received_at,
        )
    )
    return message_id if is_between else None
