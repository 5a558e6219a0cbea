"""What people and the admin are sent for a broadcast, as rows of the outbox."""

from typing import Final

from tgllm.db.tables.broadcasts import Broadcast
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import PLACEHOLDER, edit_row, message_row

__all__ = ["STOP", "progress_row", "progress_text", "report_row", "text_row"]

STOP = "admin:broadcast_stop"
"""Callback data of the button that stops a broadcast; its id follows a space."""

ENDINGS: Final = ("delivered", "blocked", "failed", "unconfirmed", "left_out")
"""The counts of a broadcast, for what came of each message."""


def text_row(user_id: int, text: str) -> NewOutbox:
    """The call that tells somebody the text in private. If nobody knows whether it arrived, the report counts that."""
    return message_row(Lane(user_id), text, {PLACEHOLDER: True})


def progress_text(texts: Catalogue, broadcast: Broadcast) -> str:
    """How far a broadcast is; all its messages count that are not on their way any more."""
    over = sum(getattr(broadcast, name) for name in ENDINGS)
    match broadcast.state:
        case "done":
            return texts("admin.broadcast.done", broadcast.language)
        case "stopped" | "stopping":
            return texts("admin.broadcast.stopped", broadcast.language)
        case _:
            return texts("admin.broadcast.progress", broadcast.language, over=over, people=broadcast.people)


def progress_row(texts: Catalogue, broadcast: Broadcast, text: str, message_id: int | None = None) -> NewOutbox:
    """The call that shows the progress: a new message, or an edit of the one that shows it."""
    lane = Lane.parse(broadcast.lane)
    button = {
        "text": texts("admin.broadcast.button_stop", broadcast.language),
        "callback_data": f"{STOP} {broadcast.id}",
    }
    keyboard = [[button]] if broadcast.state == "running" else []
    markup = {"reply_markup": {"inline_keyboard": keyboard}}
    return message_row(lane, text, markup) if message_id is None else edit_row(lane, message_id, text, markup)


def report_row(texts: Catalogue, broadcast: Broadcast) -> NewOutbox:
    """The call that tells the admin what came of a broadcast."""
    counts = {name: getattr(broadcast, name) for name in ("people", *ENDINGS)}
    text = texts("admin.broadcast.report", broadcast.language, **counts)
    return message_row(Lane.parse(broadcast.lane), text)
