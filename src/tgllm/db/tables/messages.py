"""Table ``messages``: the messages of conversations, as trees; a conversation's head ends its active branch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import JSON, JSON_LIST, clean, dumps, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "MAX_PROVIDER_DATA",
    "Message",
    "NewMessage",
    "Role",
    "Status",
    "add",
    "add_telegram_id",
    "find_by_telegram",
    "get",
    "history",
    "of_turn",
    "set_parts",
]

Role = Literal["user", "assistant"]
Status = Literal["complete", "partial", "stopped", "failed"]

MAX_PROVIDER_DATA: Final = 256 * 1024
"""Maximum size of ``provider_data``, in bytes of JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to store."""

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
    """Data that is passed back to the same provider and model on later turns."""
    status: Status = "complete"
    telegram_chat_id: int | None = None
    telegram_message_ids: Sequence[int] = ()
    user_id: int | None = None
    tokens: int | None = None
    """Estimate for the text, not calibrated; None: it is estimated at each use."""


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
    tokens: int | None = None
    tokens_before: int | None = None


_ADD = """
    INSERT INTO messages (conversation_id, parent_id, turn_id, role, text, parts, provider, model, provider_data,
                          status, telegram_chat_id, telegram_message_ids, user_id, created_at, tokens, tokens_before)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            coalesce((SELECT tokens_before + tokens FROM messages WHERE id = ?), 0))
    RETURNING id
"""


def add(conn: Connection, new: NewMessage, now: int) -> int:
    """Store a message and return its id. The conversation's head is not changed: see ``conversations.set_head``.

    Raises:
        sqlite3.IntegrityError: the conversation or the user is unknown, the parent belongs to another conversation, or
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
            new.tokens,
            new.parent_id,
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


def history(conn: Connection, conversation_id: int, head: int | None, limit: int) -> list[Message]:
    """Return the last ``limit`` messages of the branch that ends with ``head``, oldest first."""
    if head is None or limit < 1:
        return []
    values = {"conversation_id": conversation_id, "head": head, "limit": limit}
    return read_all(Message, conn.execute(_HISTORY, values))


def get(conn: Connection, message_id: int) -> Message | None:
    """Return a message; None if there is none with that id."""
    return read_one(Message, conn.execute("SELECT * FROM messages WHERE id = ?", (message_id,)))


def of_turn(conn: Connection, turn_id: str) -> list[Message]:
    """Return the messages of a turn, in order."""
    return read_all(Message, conn.execute("SELECT * FROM messages WHERE turn_id = ? ORDER BY id", (turn_id,)))


def find_by_telegram(conn: Connection, chat_id: int, telegram_message_id: int) -> Message | None:
    """Return the message that a Telegram message shows; the latest if there are several."""
    cursor = conn.execute(
        "SELECT * FROM messages WHERE telegram_chat_id = ?"
        " AND EXISTS (SELECT 1 FROM json_each(telegram_message_ids)"
        " WHERE CAST(value AS INTEGER) = ?) ORDER BY id DESC LIMIT 1",
        (chat_id, telegram_message_id),
    )
    return read_one(Message, cursor)


def set_parts(conn: Connection, message_id: int, parts: Sequence[JsonObject]) -> None:
    """Replace the parts of a message other than its text."""
    conn.execute("UPDATE messages SET parts = ? WHERE id = ?", (dumps(list(parts)) if parts else None, message_id))


_ADD_TELEGRAM_ID = """
    UPDATE messages
    SET telegram_chat_id = :chat_id, telegram_message_ids = json_insert(telegram_message_ids, '$[#]', :id)
    WHERE turn_id = :turn_id AND role = 'assistant'
      AND NOT EXISTS (SELECT 1 FROM json_each(telegram_message_ids) WHERE CAST(value AS INTEGER) = :id)
"""


def add_telegram_id(conn: Connection, turn_id: str, chat_id: int, telegram_message_id: int) -> None:
    """Record that a Telegram message shows a turn's answer or a part of it; a repeated call changes nothing."""
    conn.execute(_ADD_TELEGRAM_ID, {"turn_id": turn_id, "chat_id": chat_id, "id": telegram_message_id})
