"""Tables ``plugin_messages`` and ``plugin_keyboards``: what plugins send, edit and delete, and its buttons."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tgllm.api.types import Json
from tgllm.db.engine.rows import BOOL, clean, dumps, read_one
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.outbox import Priority

__all__ = [
    "TURN",
    "KeyboardButton",
    "NewPluginMessage",
    "Part",
    "PluginMessage",
    "add",
    "add_keyboard",
    "drop_keyboard",
    "find_key",
    "find_sent",
    "get",
    "keyboard",
    "mark_deleted",
    "of_turn",
    "prune",
    "set_parts",
    "turn_of",
]

TURN = "plugin:"
"""Beginning of the turn ids of the outbox rows; the message's id follows."""

KeyboardButton: TypeAlias = tuple[str, str, Json]
"""The plugin's id of a button, who may press it, and its data."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the messages of Telegram that a plugin's message consists of."""

    number: int
    """Number of the outbox row that sends it."""
    is_text: bool
    sent_id: int | None = None
    """Telegram's id; None if it is unknown."""
    edit: int | None = None
    """Id of the outbox row with its latest edit."""
    pending: Mapping[str, Any] | None = None
    """Parameters of the edit to make once its id is known; empty: it is to be deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPluginMessage:
    """A message to store."""

    plugin_id: str
    key: str | None
    lane: str
    user_id: int | None
    priority: Priority


def _parts(text: str) -> tuple[Part, ...]:
    return tuple(
        Part(number, bool(is_text), sent_id, edit, pending)
        for number, is_text, sent_id, edit, pending in json.loads(text)
    )


@dataclass(frozen=True, slots=True)
class PluginMessage:
    """A stored message; the fields are the columns of the table ``plugin_messages``."""

    id: int
    plugin_id: str
    key: str | None
    lane: str
    user_id: int | None
    priority: Priority
    parts: tuple[Part, ...] = field(metadata={"convert": _parts})
    next_part: int
    deleted: bool = field(metadata=BOOL)
    created_at: int

    @property
    def turn_id(self) -> str:
        """Turn id of its outbox rows."""
        return turn_of(self.id)


def turn_of(message_id: int) -> str:
    """Return the turn id of a message's outbox rows."""
    return f"{TURN}{message_id}"


def add(conn: Connection, new: NewPluginMessage, now: int) -> int:
    """Store a message without parts; return its id.

    Raises:
        sqlite3.IntegrityError: the plugin has a message with that key.
    """
    message_id = _next_id(conn, "plugin_messages", now)
    conn.execute(
        "INSERT INTO plugin_messages (id, plugin_id, key, lane, user_id, priority, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (message_id, new.plugin_id, new.key, clean(new.lane), new.user_id, new.priority, now),
    )
    return message_id


def get(conn: Connection, message_id: int) -> PluginMessage | None:
    """Return a message; None if there is none with that id."""
    return read_one(PluginMessage, conn.execute("SELECT * FROM plugin_messages WHERE id = ?", (message_id,)))


def find_key(conn: Connection, plugin_id: str, key: str) -> PluginMessage | None:
    """Return the message of a plugin with that key; None if there is none."""
    cursor = conn.execute("SELECT * FROM plugin_messages WHERE plugin_id = ? AND key = ?", (plugin_id, key))
    return read_one(PluginMessage, cursor)


_SHOWN = """
    SELECT * FROM plugin_messages
    WHERE plugin_id = ? AND lane = ? AND deleted = 0
        AND EXISTS (SELECT 1 FROM json_each(parts) WHERE CAST(json_extract(value, '$[2]') AS INTEGER) = ?)
    LIMIT 1
"""


def find_sent(conn: Connection, plugin_id: str, lane: str, sent_id: int) -> PluginMessage | None:
    """Return the message of a plugin that a message of Telegram in a lane shows; None if there is none."""
    return read_one(PluginMessage, conn.execute(_SHOWN, (plugin_id, lane, sent_id)))


def set_parts(conn: Connection, message_id: int, parts: Sequence[Part], next_part: int) -> None:
    """Store which messages of Telegram a message consists of, and the number of its next outbox row."""
    conn.execute(
        "UPDATE plugin_messages SET parts = ?, next_part = ? WHERE id = ?",
        (
            dumps([[each.number, int(each.is_text), each.sent_id, each.edit, each.pending] for each in parts]),
            next_part,
            message_id,
        ),
    )


def of_turn(conn: Connection, turn_id: str) -> PluginMessage | None:
    """Return the message whose outbox rows have that turn id; None for another turn."""
    number = turn_id.removeprefix(TURN)
    return get(conn, int(number)) if number != turn_id and number.isdecimal() else None


def mark_deleted(conn: Connection, message_id: int) -> None:
    """Mark a message as deleted by its plugin; it has no buttons any more, and keeps its key."""
    conn.execute("UPDATE plugin_messages SET deleted = 1 WHERE id = ?", (message_id,))
    drop_keyboard(conn, message_id)


def add_keyboard(conn: Connection, message_id: int, buttons: Sequence[KeyboardButton], now: int) -> int:
    """Store the buttons of a message in place of its present ones; return their id."""
    drop_keyboard(conn, message_id)
    keyboard_id = _next_id(conn, "plugin_keyboards", now)
    conn.execute(
        "INSERT INTO plugin_keyboards (id, message_id, buttons) VALUES (?, ?, ?)",
        (keyboard_id, message_id, dumps(buttons)),
    )
    return keyboard_id


def drop_keyboard(conn: Connection, message_id: int) -> None:
    """Delete the buttons of a message."""
    conn.execute("DELETE FROM plugin_keyboards WHERE message_id = ?", (message_id,))


def keyboard(conn: Connection, keyboard_id: int) -> tuple[PluginMessage, Sequence[KeyboardButton]] | None:
    """Return a message and its buttons, given their id; None if they are no longer there."""
    row = conn.execute("SELECT message_id, buttons FROM plugin_keyboards WHERE id = ?", (keyboard_id,)).fetchone()
    if row is None:
        return None
    message = get(conn, row["message_id"])
    return None if message is None else (message, [tuple(button) for button in json.loads(row["buttons"])])


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete messages from before ``before`` (UTC, milliseconds), at most ``limit``; return their number."""
    return conn.execute(
        "DELETE FROM plugin_messages WHERE id IN"
        " (SELECT id FROM plugin_messages WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        (before, limit),
    ).rowcount


def _next_id(conn: Connection, table: str, now: int) -> int:
    """Return an id above all present and deleted ones: plugins and buttons in old messages refer to them for long."""
    highest = conn.execute(f"SELECT max(id) FROM {table}").fetchone()[0]  # noqa: S608  a constant
    return max(now, 1 + (highest or 0))
