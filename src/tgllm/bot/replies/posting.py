"""Messages of plugins in the database: stored with their outbox rows and buttons, edited, and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Final

from tgllm.bot.delivery.own_messages import edit_of, late_edit
from tgllm.bot.replies.keyboards import Keyboard
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox, Priority
from tgllm.db.tables.plugins import messages
from tgllm.db.tables.plugins.messages import NewPluginMessage, Part, PluginMessage
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import deletion_row

__all__ = ["Content", "delete", "edit", "post"]

_TEXTS: Final = frozenset({"sendMessage", "sendRichMessage"})
_ON_THE_WAY: Final = frozenset({"ready", "sending", "uncertain"})


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shows."""

    rows: Sequence[NewOutbox]
    """Of its texts and files, without a turn."""
    keyboard: Keyboard


def post(conn: Connection, new: NewPluginMessage, content: Content, now: int) -> tuple[PluginMessage, bool]:
    """Store a message to be sent, unless its plugin has one with the same key.

    Args:
        conn: an open write transaction.
        new: the message.
        content: what it shows.
        now: UTC, in milliseconds.

    Returns:
        The message, and whether it is new.
    """
    if new.key is not None and (present := messages.find_key(conn, new.plugin_id, new.key)) is not None:
        return present, False
    message_id = messages.add(conn, new, now)
    rows = _with_buttons(conn, message_id, content, now)
    turn_id = messages.turn_of(message_id)
    made = [
        replace(row, turn_id=turn_id, part=part, priority=new.priority, lane=new.lane) for part, row in enumerate(rows)
    ]
    outbox.add(conn, made, now)
    parts = [Part(row.part, row.method in _TEXTS) for row in made]
    messages.set_parts(conn, message_id, parts, len(parts))
    stored = messages.get(conn, message_id)
    assert stored is not None  # noqa: S101  stored above
    return stored, True


def edit(conn: Connection, message: PluginMessage, content: Content, priority: Priority, now: int) -> bool:
    """Replace the texts and the buttons of a message; return False, and change nothing, if it is gone.

    A text is edited in place. Further texts and files are sent, and texts that are too many are deleted.

    Args:
        conn: an open write transaction.
        message: the stored message.
        content: what it shows from now on.
        priority: of the calls.
        now: UTC, in milliseconds.
    """
    present = [part for part in message.parts if part.is_text and _is_there(conn, message, part)]
    if message.deleted or not present:
        return False
    rows = _with_buttons(conn, message.id, content, now)
    texts = [row for row in rows if row.method in _TEXTS]
    changed = {
        part.number: _changed(conn, message, part, row, priority, now)
        for part, row in zip_longest(present, texts[: len(present)])
    }
    added = [*texts[len(present) :], *(row for row in rows if row.method not in _TEXTS)]
    first = message.next_part
    made = [
        replace(row, turn_id=message.turn_id, part=first + number, priority=message.priority)
        for number, row in enumerate(added)
    ]
    outbox.add(conn, made, now)
    kept = [changed.get(part.number, part) for part in message.parts]
    parts = [part for part in kept if part is not None] + [Part(row.part, row.method in _TEXTS) for row in made]
    messages.set_parts(conn, message.id, parts, first + len(made))
    return True


def delete(conn: Connection, message: PluginMessage, priority: Priority, now: int) -> bool:
    """Delete a message with all its parts; return False, and change nothing, if it is gone."""
    there = [part for part in message.parts if _is_there(conn, message, part)]
    if message.deleted or not there:
        return False
    for part in there:
        _remove(conn, message, part, priority, now)
    messages.mark_deleted(conn, message.id)
    return True


def _with_buttons(conn: Connection, message_id: int, content: Content, now: int) -> Sequence[NewOutbox]:
    """Store the buttons in place of earlier ones; return the rows with them under the last text, or the last file."""
    stored = content.keyboard.stored
    if stored:
        keyboard_id = messages.add_keyboard(conn, message_id, stored, now)
    else:
        keyboard_id = 0
        messages.drop_keyboard(conn, message_id)
    if not content.keyboard.rows or not content.rows:
        return content.rows
    rows = list(content.rows)
    texts = [place for place, row in enumerate(rows) if row.method in _TEXTS]
    place = texts[-1] if texts else len(rows) - 1
    markup = {"reply_markup": content.keyboard.markup(keyboard_id)}
    rows[place] = replace(rows[place], payload={**rows[place].payload, **markup})
    return rows


def _is_there(conn: Connection, message: PluginMessage, part: Part) -> bool:
    """Return whether a part is in the chat, or on the way there."""
    if part.pending == {}:
        return False
    if part.sent_id is not None:
        return True
    row = outbox.find(conn, message.turn_id, part.number)
    return row is not None and row.state in _ON_THE_WAY


def _changed(
    conn: Connection, message: PluginMessage, part: Part, row: NewOutbox | None, priority: Priority, now: int
) -> Part | None:
    """Edit a part to the text of a row, or delete it without one; return it as it is to be stored."""
    if row is None:
        _remove(conn, message, part, priority, now)
        return replace(part, pending={}) if part.sent_id is None else None
    payload: dict[str, Any] = late_edit(row.payload)
    if part.sent_id is None:
        # Made as soon as its id is known: see ``own_messages``.
        return replace(part, pending=payload)
    return replace(part, edit=edit_of(conn, Lane.parse(message.lane), part, payload, priority, now))


def _remove(conn: Connection, message: PluginMessage, part: Part, priority: Priority, now: int) -> None:
    if part.sent_id is not None:
        row = deletion_row(Lane.parse(message.lane), part.sent_id)
        outbox.add(conn, [replace(row, priority=priority)], now)
        return
    sending = outbox.find(conn, message.turn_id, part.number)
    if sending is not None:
        outbox.drop(conn, sending.id, "deleted by the plugin")
