"""Messages of plugins as they are sent: their ids are stored, and changes that waited for an id are made."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tgllm.bot.delivery.fallbacks import PLACE
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import OutboxRow, Priority
from tgllm.db.tables.plugins import messages
from tgllm.db.tables.plugins.messages import Part, PluginMessage
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import call_row, deletion_row

__all__ = ["edit_of", "late_edit", "note_own"]

_ONLY_FOR_NEW: Final = PLACE | {"reply_parameters"}


def note_own(conn: Connection, row: OutboxRow, message_id: int, now: int) -> None:
    """Store the id of a message that a row has sent, if it is a plugin's; edit or delete it if that has waited.

    Args:
        conn: an open write transaction.
        row: the row.
        message_id: Telegram's id of the message.
        now: UTC, in milliseconds.
    """
    message = None if row.turn_id is None else messages.of_turn(conn, row.turn_id)
    if message is None:
        return
    parts = [_sent(conn, message, part, row, message_id, now) for part in message.parts]
    known = [part for part in parts if part is not None]
    messages.set_parts(conn, message.id, known, message.next_part)


def _sent(
    conn: Connection, message: PluginMessage, part: Part, row: OutboxRow, message_id: int, now: int
) -> Part | None:
    if part.number != row.part:
        return part
    lane = Lane.parse(row.lane)
    if message.deleted or part.pending == {}:
        outbox.add(conn, [replace(deletion_row(lane, message_id), priority=row.priority)], now)
        return None
    part = replace(part, sent_id=message_id)
    if part.pending is None:
        return part
    return replace(part, pending=None, edit=edit_of(conn, lane, part, part.pending, row.priority, now))


def late_edit(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a row that sends a text, for an edit of another message to it."""
    return {key: value for key, value in payload.items() if key not in _ONLY_FOR_NEW}


def edit_of(conn: Connection, lane: Lane, part: Part, payload: Mapping[str, Any], priority: Priority, now: int) -> int:
    """Add the call that edits a message that was sent; return its id.

    An earlier edit that still waits is replaced: the chat would only be late with texts that are outdated.
    """
    wanted = call_row(lane, "editMessageText", {**payload, "message_id": part.sent_id}, kind="edit", priority=priority)
    waiting = None if part.edit is None else outbox.get(conn, part.edit)
    if waiting is not None and waiting.state == "ready" and waiting.lane == wanted.lane:
        outbox.requeue(conn, waiting.id, wanted.payload, waiting.not_before)
        return waiting.id
    return outbox.add(conn, [wanted], now)[0]
