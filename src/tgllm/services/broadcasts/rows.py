"""Outbox rows of a broadcast: its messages, the progress message and the report."""

from dataclasses import replace
from typing import Final

from tgllm.db.tables.broadcasts import Broadcast
from tgllm.db.tables.outbox import NOTICE, NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import PLACEHOLDER, edit_row, message_row

__all__ = ["STOP", "progress_row", "progress_text", "report_row", "text_row"]

STOP = "admin:broadcast_stop"
"""First word of the callback data of the stop button; the id of the broadcast follows."""

ENDINGS: Final = ("delivered", "blocked", "failed", "unconfirmed", "left_out")
"""Names of the counts of a broadcast, by the outcome of its messages."""


def text_row(user_id: int, text: str) -> NewOutbox:
    """Return the message to one person, in private. If its delivery stays uncertain, only the report counts it."""
    return replace(message_row(Lane(user_id), text, {PLACEHOLDER: True}), priority=NOTICE)


def progress_text(texts: Catalogue, broadcast: Broadcast) -> str:
    """Return the text of the progress message, which counts all messages with an outcome."""
    over = sum(getattr(broadcast, name) for name in ENDINGS)
    match broadcast.state:
        case "done":
            return texts("admin.broadcast.done", broadcast.language)
        case "stopped" | "stopping":
            return texts("admin.broadcast.stopped", broadcast.language)
        case _:
            return texts("admin.broadcast.progress", broadcast.language, over=over, people=broadcast.people)


def progress_row(texts: Catalogue, broadcast: Broadcast, text: str, message_id: int | None = None) -> NewOutbox:
    """Return the progress message, or an edit of the existing one."""
    lane = Lane.parse(broadcast.lane)
    button = {
        "text": texts("admin.broadcast.button_stop", broadcast.language),
        "callback_data": f"{STOP} {broadcast.id}",
    }
    keyboard = [[button]] if broadcast.state == "running" else []
    markup = {"reply_markup": {"inline_keyboard": keyboard}}
    return message_row(lane, text, markup) if message_id is None else edit_row(lane, message_id, text, markup)


def report_row(texts: Catalogue, broadcast: Broadcast) -> NewOutbox:
    """Return the report to the admin."""
    counts = {name: getattr(broadcast, name) for name in ENDINGS}
    text = texts("admin.broadcast.report", broadcast.language, count=broadcast.people, **counts)
    return message_row(Lane.parse(broadcast.lane), text)
