"""Everything stored about a person, for an export: private chats, messages elsewhere, usage."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.facts import Fact
from tgllm.db.tables.files import File
from tgllm.db.tables.messages import Message
from tgllm.db.tables.requests import Request
from tgllm.db.tables.summaries import Summary

__all__ = [
    "Day",
    "all_of",
    "conversations",
    "elsewhere",
    "facts",
    "files",
    "requests",
    "settings",
    "summaries",
    "usage",
]

# A private chat has the user's id, and each of its topics is a lane.
_MINE = "lane GLOB ':' || :user || ':*'"


@dataclass(frozen=True, slots=True)
class Day:
    """Usage of a person on one day, by model and chat; the fields are the columns of the table ``usage``."""

    day: str
    group_id: int
    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost_micros: int
    unpriced_requests: int


def conversations(conn: Connection, user_id: int) -> list[Conversation]:
    """Return the conversations of the person's private chat, oldest first."""
    query = f"SELECT * FROM conversations WHERE {_MINE} ORDER BY id"  # noqa: S608 (constants)
    return read_all(Conversation, conn.execute(query, {"user": user_id}))


def all_of(conn: Connection, conversation_id: int) -> list[Message]:
    """Return the messages of all branches of a conversation, oldest first."""
    return read_all(
        Message, conn.execute("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,))
    )


def summaries(conn: Connection, conversation_id: int) -> list[Summary]:
    """Return the summaries of a conversation, in the order of their last messages."""
    return read_all(
        Summary,
        conn.execute("SELECT * FROM summaries WHERE conversation_id = ? ORDER BY message_id", (conversation_id,)),
    )


_ELSEWHERE = f"""
    SELECT * FROM messages WHERE user_id = :user AND role = 'user'
      AND conversation_id NOT IN (SELECT id FROM conversations WHERE {_MINE}) ORDER BY id
"""  # noqa: S608 (constants)


def elsewhere(conn: Connection, user_id: int) -> list[Message]:
    """Return the person's messages in groups and other chats than their private chat."""
    return read_all(Message, conn.execute(_ELSEWHERE, {"user": user_id}))


def facts(conn: Connection, user_id: int) -> list[Fact]:
    """Return the facts of the person's private chat, and those that they added elsewhere."""
    query = f"SELECT * FROM facts WHERE {_MINE} OR user_id = :user ORDER BY id"  # noqa: S608 (constants)
    return read_all(Fact, conn.execute(query, {"user": user_id}))


def files(conn: Connection, user_id: int) -> list[File]:
    """Return the files that the person has sent."""
    return read_all(File, conn.execute("SELECT * FROM files WHERE user_id = ? ORDER BY id", (user_id,)))


def requests(conn: Connection, user_id: int) -> list[Request]:
    """Return the model calls for the person."""
    return read_all(Request, conn.execute("SELECT * FROM requests WHERE user_id = ? ORDER BY id", (user_id,)))


def usage(conn: Connection, user_id: int) -> Sequence[Day]:
    """Return the person's usage by day, model and chat."""
    cursor = conn.execute("SELECT * FROM usage WHERE user_id = ? ORDER BY day, provider, model, group_id", (user_id,))
    return read_all(Day, cursor)


def settings(conn: Connection, user_id: int) -> dict[str, Any]:
    """Return the values that the bot stores under the person's id, by scope; without the data of plugins."""
    cursor = conn.execute(
        "SELECT scope, value FROM kv WHERE key = ? AND scope NOT GLOB 'plugin:*' ORDER BY scope", (str(user_id),)
    )
    return {row["scope"]: json.loads(row["value"]) for row in cursor}
