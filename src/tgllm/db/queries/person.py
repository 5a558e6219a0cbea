"""All that is stored of a person, for a copy of it: private chats, what they said elsewhere, what they used."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgllm.db.engine.rows import read_all
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

# A private chat has the id of its person; each topic of it is a lane.
_MINE = "lane GLOB ':' || :user || ':*'"


@dataclass(frozen=True, slots=True)
class Day:
    """What a person has used on a day, of a model, in a chat; the fields are the columns of the table ``usage``."""

    day: str
    group_id: int
    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost_micros: int
    unpriced_requests: int


def conversations(conn: sqlite3.Connection, user_id: int) -> list[Conversation]:
    """Those of the person's private chat, the oldest first."""
    query = f"SELECT * FROM conversations WHERE {_MINE} ORDER BY id"  # noqa: S608 (constants)
    return read_all(Conversation, conn.execute(query, {"user": user_id}))


def all_of(conn: sqlite3.Connection, conversation_id: int) -> list[Message]:
    """All messages of a conversation, of all its branches, in the order in which they were said."""
    return read_all(
        Message, conn.execute("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,))
    )


def summaries(conn: sqlite3.Connection, conversation_id: int) -> list[Summary]:
    """The summaries of a conversation's beginnings."""
    return read_all(
        Summary,
        conn.execute("SELECT * FROM summaries WHERE conversation_id = ? ORDER BY message_id", (conversation_id,)),
    )


_ELSEWHERE = f"""
    SELECT * FROM messages WHERE user_id = :user AND role = 'user'
      AND conversation_id NOT IN (SELECT id FROM conversations WHERE {_MINE}) ORDER BY id
"""  # noqa: S608 (constants)


def elsewhere(conn: sqlite3.Connection, user_id: int) -> list[Message]:
    """What the person said in groups and other chats that are not their own."""
    return read_all(Message, conn.execute(_ELSEWHERE, {"user": user_id}))


def facts(conn: sqlite3.Connection, user_id: int) -> list[Fact]:
    """What is pinned in the person's private chat, and what they have pinned elsewhere."""
    query = f"SELECT * FROM facts WHERE {_MINE} OR user_id = :user ORDER BY id"  # noqa: S608 (constants)
    return read_all(Fact, conn.execute(query, {"user": user_id}))


def files(conn: sqlite3.Connection, user_id: int) -> list[File]:
    """What the person has sent."""
    return read_all(File, conn.execute("SELECT * FROM files WHERE user_id = ? ORDER BY id", (user_id,)))


def requests(conn: sqlite3.Connection, user_id: int) -> list[Request]:
    """Calls of models that the person has caused."""
    return read_all(Request, conn.execute("SELECT * FROM requests WHERE user_id = ? ORDER BY id", (user_id,)))


def usage(conn: sqlite3.Connection, user_id: int) -> Sequence[Day]:
    """The sums of each day."""
    cursor = conn.execute("SELECT * FROM usage WHERE user_id = ? ORDER BY day, provider, model, group_id", (user_id,))
    return read_all(Day, cursor)


def settings(conn: sqlite3.Connection, user_id: int) -> dict[str, Any]:
    """What parts of the bot keep under the person's id, by part, as JSON; what plugins keep is theirs."""
    cursor = conn.execute(
        "SELECT scope, value FROM kv WHERE key = ? AND scope NOT GLOB 'plugin:*' ORDER BY scope", (str(user_id),)
    )
    return {row["scope"]: json.loads(row["value"]) for row in cursor}
