"""Earlier turns of conversations, stored before a bot starts."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from benchmarks.words import ANSWER, QUESTION
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.messages import NewMessage
from tgllm.services.common.lane import Lane

__all__ = ["seed_turns"]


def seed_turns(data_dir: Path, chat_ids: Sequence[int], turns: int) -> None:
    """Store so many turns in a conversation of each chat."""
    asyncio.run(_store(data_dir, chat_ids, turns))


async def _store(data_dir: Path, chat_ids: Sequence[int], turns: int) -> None:
    async with await Database.open(database_path(data_dir)) as database:
        for chat_id in chat_ids:
            await database.write(lambda conn, chat_id=chat_id: _talk(conn, chat_id, turns))


def _talk(conn: Connection, chat_id: int, turns: int) -> None:
    conversation = conversations.active_for(conn, Lane(chat_id).key, 0)
    head: int | None = None
    for number in range(turns):
        for role, text in (("user", QUESTION), ("assistant", ANSWER)):
            said = NewMessage(
                conversation_id=conversation.id,
                parent_id=head,
                turn_id=f"seed:{chat_id}:{number}",
                role=role,
                text=text,
                telegram_chat_id=chat_id,
                telegram_message_ids=(2 * number + 1,),
            )
            head = messages.add(conn, said, 0)
    conversations.set_head(conn, conversation.id, head, 0)
