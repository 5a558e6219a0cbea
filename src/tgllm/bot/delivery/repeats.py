"""Marked repeats of messages that may have arrived already."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tgllm.bot.delivery.fallbacks import FOLLOWING, FOLLOWING_MARKUP, PLACE
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, message_rows
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.memory_texts import MEMORY_TEXT
from tgllm.services.messaging.rows import NO_PREVIEW, call_row, with_priority

__all__ = ["MARKED", "mark_of_sent", "marked"]

MARKED = "marked"
"""Payload key of a message with a mark that it may be a repeat."""


def marked(payload: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """Return the payload of a new message with a mark; one without room for it is sent after the mark."""
    content = {key: value for key, value in payload.items() if key not in {EDIT_OF_PART, MARKED}}
    head = f"{mark}\n\n"
    is_text = "text" in content and "rich_message" not in content
    if is_text and utf16_length(head + str(content["text"])) <= MESSAGE_LIMIT:
        made = {**content, "text": head + str(content["text"]), MARKED: True}
        if "entities" in content:
            made["entities"] = [_moved(entity, utf16_length(head)) for entity in content["entities"]]
        return made
    place = {key: content.pop(key) for key in tuple(content) if key in PLACE}
    rest: Sequence[Mapping[str, Any]] = content.pop(FOLLOWING, ())
    buttons = content.pop(FOLLOWING_MARKUP, None) or content.pop("reply_markup", None)
    markup = {} if buttons is None else {FOLLOWING_MARKUP: buttons}
    return {**place, **NO_PREVIEW, "text": mark, FOLLOWING: [content, *rest], **markup, MARKED: True}


def mark_of_sent(row: OutboxRow, message_id: int, mark: str) -> NewOutbox:
    """Return the row that marks a message that was sent: an edit of its text, or a reply if it has no room for it."""
    lane = Lane.parse(row.lane)
    made = marked(row.payload, mark)
    if FOLLOWING in made or MEMORY_TEXT in row.payload:
        (reply,) = with_priority(message_rows(lane, mark, reply_to=message_id), row.priority)
        return replace(reply, payload={**reply.payload, PLACEHOLDER: True})
    content = {key: made[key] for key in ("text", "entities", "reply_markup", *NO_PREVIEW) if key in made}
    edit = {**content, "message_id": message_id}
    return call_row(lane, "editMessageText", edit, kind="edit", priority=row.priority)


def _moved(entity: Mapping[str, Any], by: int) -> dict[str, Any]:
    return {**entity, "offset": int(entity["offset"]) + by}
