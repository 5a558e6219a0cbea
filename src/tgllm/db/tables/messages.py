"""Messages: what was said, as a tree. A conversation's head names the branch that is gone on with."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import JSON, JSON_LIST, clean, dumps, new_id, read_all, read_one

__all__ = [
    "MAX_PROVIDER_DATA",
    "Message",
    "NewMessage",
    "Role",
    "Status",
    "add",
    "add_telegram_id",
    "children",
    "find_by_telegram",
    "get",
    "history",
    "of_turn",
]

Role = Literal["user", "assistant"]
Status = Literal["complete", "partial", "stopped", "failed"]

MAX_PROVIDER_DATA: Final = 256 * 1024
"""Bytes of JSON that ``provider_data`` may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """Something that was said."""

    conversation_id: int
    parent_id: int | None
    turn_id: str
    role: Role
    text: str
    parts: Sequence[JsonObject] = ()
    """Parts other than the text, such as files."""
    provider: str | None = None
    model: str | None = None
    provider_data: JsonObject | None = None
    """What the same provider and model want back on later turns."""
    status: Status = "complete"
    telegram_chat_id: int | None = None
    telegram_message_ids: Sequence[int] = ()
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message; the fields are the columns of the table ``messages``."""

    id: int
    conversation_id: int
    parent_id: int | None
    turn_id: str
    role: Role
    text: str
    parts: tuple[dict[str, Any], ...] = field(metadata=JSON_LIST)
    provider: str | None
    model: str | None
    provider_data: dict[str, Any] | None = field(metadata=JSON)
    status: Status
    telegram_chat_id: int | None
    telegram_message_ids: tuple[int, ...] = field(metadata=JSON_LIST)
    user_id: int | None
    created_at: int


_ADD = """
    INSERT INTO messages (conversation_id, parent_id, turn_id, role, text, parts, provider, model, provider_data,
                          status, telegram_chat_id, telegram_message_ids, user_id, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def add(conn: sqlite3.Connection, new: NewMessage, now: int) -> int:
    """Store a message and return its id. The conversation's head stays where it is: see ``conversations.set_head``.

    Raises:
        sqlite3.IntegrityError: the conversation or the user is unknown, the parent is of another conversation, or
            ``provider_data`` is larger than ``MAX_PROVIDER_DATA``.
    """
    cursor = conn.execute(
        _ADD,
        (
            new.conversation_id,
            new.parent_id,
            new.turn_id,
            new.role,
            clean(new.text),
            dumps(list(new.parts)) if new.parts else None,
            new.provider,
            new.model,
            None if new.provider_data is None else dumps(new.provider_data),
            new.status,
            new.telegram_chat_id,
            dumps(list(new.telegram_message_ids)),
            new.user_id,
            now,
        ),
    )
    return new_id(cursor)


_HISTORY = """
    WITH RECURSIVE branch (id, parent_id, depth) AS (
        SELECT id, parent_id, 1 FROM messages WHERE conversation_id = :conversation_id AND id = :head
        UNION ALL
        SELECT messages.id, messages.parent_id, depth + 1
        FROM messages JOIN branch ON messages.id = branch.parent_id
        WHERE depth < :limit
    )
    SELECT messages.* FROM branch JOIN messages ON messages.id = branch.id
    ORDER BY depth DESC
"""


def history(conn: sqlite3.Connection, conversation_id: int, head: int | None, limit: int) -> list[Message]:
    """The branch that ends at ``head``, oldest first: the last ``limit`` messages of it, ``head`` among them."""
    if head is None or limit < 1:
        return []
    values = {"conversation_id": conversation_id, "head": head, "limit": limit}
    return read_all(Message, conn.execute(_HISTORY, values))


def get(conn: sqlite3.Connection, message_id: int) -> Message | None:
    """One message."""
    return read_one(Message, conn.execute("SELECT * FROM messages WHERE id = ?", (message_id,)))


def of_turn(conn: sqlite3.Connection, turn_id: str) -> list[Message]:
    """What was said in a turn, in order."""
    return read_all(Message, conn.execute("SELECT * FROM messages WHERE turn_id = ? ORDER BY id", (turn_id,)))


def children(conn: sqlite3.Connection, conversation_id: int, parent_id: int | None) -> list[Message]:
    """What follows a message directly, a branch each; None gives the beginnings of the conversation."""
    cursor = conn.execute(
        "SELECT * FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id",
        (conversation_id, parent_id),
    )
    return read_all(Message, cursor)


def find_by_telegram(conn: sqlite3.Connection, chat_id: int, telegram_message_id: int) -> Message | None:
    """The message that a message of a chat shows, the latest where several do."""
    cursor = conn.execute(
        "SELECT * FROM messages WHERE telegram_chat_id = ?"
        " AND EXISTS (SELECT 1 FROM json_each(telegram_message_ids) WHERE value = ?) ORDER BY id DESC LIMIT 1",
        (chat_id, telegram_message_id),
    )
    return read_one(Message, cursor)


_ADD_TELEGRAM_ID = """
    UPDATE messages
    SET telegram_chat_id = :chat_id, telegram_message_ids = json_insert(telegram_message_ids, '$[#]', :id)
    WHERE turn_id = :turn_id AND role = 'assistant'
      AND NOT EXISTS (SELECT 1 FROM json_each(telegram_message_ids) WHERE value = :id)
"""


def add_telegram_id(conn: sqlite3.Connection, turn_id: str, chat_id: int, telegram_message_id: int) -> None:
    """Note that a message of the chat shows an answer, or a part of it; noting it twice changes nothing."""
    conn.execute(_ADD_TELEGRAM_ID, {"turn_id": turn_id, "chat_id": chat_id, "id": telegram_message_id})
