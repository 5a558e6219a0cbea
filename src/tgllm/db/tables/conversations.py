"""Table ``conversations``: conversations and their chosen models; each lane has at most one active conversation."""

from dataclasses import dataclass, field
from typing import Any

from tgllm.api.types import JsonObject, ModelRef
from tgllm.db.engine.rows import BOOL, JSON, clean, dumps, read, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "Conversation",
    "activate",
    "active_for",
    "active_in",
    "archive",
    "get",
    "list_for",
    "list_in",
    "set_head",
    "set_model",
    "set_settings",
    "set_title",
    "start_new",
]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; the fields are the columns of the table ``conversations``."""

    id: int
    lane: str
    title: str | None
    provider: str | None
    model: str | None
    settings: dict[str, Any] = field(metadata=JSON)
    head_message_id: int | None
    active: bool = field(metadata=BOOL)
    created_at: int
    updated_at: int

    @property
    def chosen(self) -> ModelRef | None:
        """The chosen model; None for the default model."""
        return None if self.provider is None or self.model is None else ModelRef(self.provider, self.model)


def active_in(conn: Connection, lane: str) -> Conversation | None:
    """Return the lane's active conversation; None if there is none. Only reads."""
    cursor = conn.execute("SELECT * FROM conversations WHERE lane = ? AND active = 1", (lane,))
    return read_one(Conversation, cursor)


def active_for(conn: Connection, lane: str, now: int) -> Conversation:
    """Return the lane's active conversation; start one if there is none."""
    return active_in(conn, lane) or _insert(conn, lane, None, now)


def start_new(conn: Connection, lane: str, now: int) -> Conversation:
    """Start an empty conversation in the lane; the former one is archived, its model and settings are kept."""
    former = active_in(conn, lane)
    if former is not None:
        archive(conn, former.id, now)
    return _insert(conn, lane, former, now)


def _insert(conn: Connection, lane: str, former: Conversation | None, now: int) -> Conversation:
    provider, model, settings = (former.provider, former.model, former.settings) if former else (None, None, {})
    cursor = conn.execute(
        "INSERT INTO conversations (lane, provider, model, settings, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
        (lane, provider, model, dumps(settings), now, now),
    )
    return read(Conversation, cursor.fetchone())


def archive(conn: Connection, conversation_id: int, now: int) -> None:
    """Make a conversation inactive; it can be made active again."""
    conn.execute("UPDATE conversations SET active = 0, updated_at = ? WHERE id = ?", (now, conversation_id))


def activate(conn: Connection, conversation_id: int, now: int) -> None:
    """Make a conversation active; the former active one in its lane is archived."""
    conn.execute(
        "UPDATE conversations SET active = 0, updated_at = :now"
        " WHERE active = 1 AND id <> :id AND lane = (SELECT lane FROM conversations WHERE id = :id)",
        {"id": conversation_id, "now": now},
    )
    conn.execute("UPDATE conversations SET active = 1, updated_at = ? WHERE id = ?", (now, conversation_id))


def set_model(conn: Connection, conversation_id: int, model: ModelRef | None, now: int) -> None:
    """Set the model of a conversation; None for the default model."""
    conn.execute(
        "UPDATE conversations SET provider = ?, model = ?, updated_at = ? WHERE id = ?",
        (model.provider if model else None, model.model if model else None, now, conversation_id),
    )


def set_settings(conn: Connection, conversation_id: int, settings: JsonObject, now: int) -> None:
    """Replace the settings of a conversation."""
    conn.execute(
        "UPDATE conversations SET settings = ?, updated_at = ? WHERE id = ?",
        (dumps(settings), now, conversation_id),
    )


def set_title(conn: Connection, conversation_id: int, title: str, now: int) -> None:
    """Set the title of a conversation."""
    conn.execute(
        "UPDATE conversations SET title = ?, updated_at = ? WHERE id = ?", (clean(title), now, conversation_id)
    )


def set_head(conn: Connection, conversation_id: int, message_id: int | None, now: int) -> None:
    """Set the message that the next one follows; None empties the conversation but keeps its messages.

    Raises:
        sqlite3.IntegrityError: the message belongs to another conversation.
    """
    conn.execute(
        "UPDATE conversations SET head_message_id = ?, updated_at = ? WHERE id = ?",
        (message_id, now, conversation_id),
    )


def get(conn: Connection, conversation_id: int) -> Conversation | None:
    """Return a conversation; None if there is none with that id."""
    return read_one(Conversation, conn.execute("SELECT * FROM conversations WHERE id = ?", (conversation_id,)))


def list_for(conn: Connection, lane: str, limit: int) -> list[Conversation]:
    """Return the lane's conversations, last changed first."""
    cursor = conn.execute(
        "SELECT * FROM conversations WHERE lane = ? ORDER BY updated_at DESC, id DESC LIMIT ?", (lane, limit)
    )
    return read_all(Conversation, cursor)


def list_in(conn: Connection, prefix: str, limit: int) -> list[Conversation]:
    """Return the conversations that are not empty, in all lanes that begin with a prefix, last changed first."""
    cursor = conn.execute(
        "SELECT * FROM conversations WHERE lane >= ? AND lane < ? AND head_message_id IS NOT NULL"
        " ORDER BY updated_at DESC, id DESC LIMIT ?",
        (prefix, prefix + chr(0x10FFFF), limit),
    )
    return read_all(Conversation, cursor)
