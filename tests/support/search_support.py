"""Stored conversations to search in."""

import itertools

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.messages import NewMessage

__all__ = ["say_in"]

_NUMBERS = itertools.count(1)


def say_in(conn: Connection, lane: str, *texts: str, now: int = 1) -> list[int]:
    """Add questions to the active conversation of a lane, and return their ids."""
    conversation = conversations.active_for(conn, lane, now)
    ids, head = list[int](), conversation.head_message_id
    for text in texts:
        number = next(_NUMBERS)
        new = NewMessage(
            conversation_id=conversation.id,
            parent_id=head,
            turn_id=f"t{number}",
            role="user",
            text=text,
            telegram_chat_id=-1,
            telegram_message_ids=[number],
        )
        head = messages.add(conn, new, now)
        ids.append(head)
    conversations.set_head(conn, conversation.id, head, now)
    return ids
