"""Builders of outbox rows for Bot API calls."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tgllm.api.types import JsonObject
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.outbox import ANSWER, Kind, NewOutbox, Priority
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import clip

__all__ = [
    "EDIT_OF_PART",
    "NO_PREVIEW",
    "PLACEHOLDER",
    "REPEATABLE",
    "as_reply",
    "buttons",
    "call_row",
    "deletion_row",
    "edit_of_row",
    "edit_row",
    "message_row",
    "place_in_chat",
    "plain_message",
    "reply_parameters",
    "with_priority",
]

EDIT_OF_PART = "edit_of_part"
"""Payload key of an edit: the part of the same turn whose message is edited. Its id is unknown until it is sent."""


PLACEHOLDER = "placeholder"
"""Payload key of a message that may be lost without a notice to the recipient, such as the placeholder of an answer, or
a message of a broadcast."""


REPEATABLE = "repeatable"
"""Payload key of a message that is sent again if its delivery is uncertain: a duplicate is better than a loss."""


NO_PREVIEW: Final[dict[str, Any]] = {"link_preview_options": {"is_disabled": True}}
"""Parameter that disables link previews, for which Telegram would fetch a URL that a model wrote."""


def call_row(
    lane: Lane,
    method: str,
    payload: Mapping[str, Any],
    *,
    kind: Kind = "send",
    turn_id: str | None = None,
    part: int = 0,
    priority: Priority = ANSWER,
) -> NewOutbox:
    """Return the row of a Bot API call.

    Args:
        lane: destination; its parts become parameters. Messages to the lane of a person's ephemeral messages are
            ephemeral too.
        method: name of the Bot API method.
        payload: the other parameters.
        kind: whether a repetition is visible or idempotent.
        turn_id: the turn that the row belongs to.
        part: position among the rows of the turn.
        priority: how soon it is sent.
    """
    target: dict[str, Any] = {"chat_id": lane.chat_id}
    if lane.business_connection_id is not None:
        target["business_connection_id"] = lane.business_connection_id
    if kind == "send":
        target |= place_in_chat(lane)
    return NewOutbox(
        lane=lane.key,
        method=method,
        chat_id=lane.chat_id,
        thread_id=lane.topic_id,
        payload=target | dict(payload),
        turn_id=turn_id,
        part=part,
        kind=kind,
        priority=priority,
    )


def place_in_chat(lane: Lane) -> dict[str, Any]:
    """Return the parameters that send a new message to the lane's part of its chat; empty if that is all of it."""
    place: dict[str, Any] = {}
    if lane.topic_id is not None:
        place["message_thread_id"] = lane.topic_id
    if lane.direct_topic_id is not None:
        place["direct_messages_topic_id"] = lane.direct_topic_id
    if lane.ephemeral_user_id is not None:
        place["ephemeral_message_parameters"] = {"receiver_user_id": lane.ephemeral_user_id}
    return place


def plain_message(
    lane: Lane, text: str, keyboard: Sequence[Sequence[tuple[str, str]]] = (), *, answers: int | None = None
) -> NewOutbox:
    """Return the row that sends one message of plain text without link previews.

    Args:
        lane: destination.
        text: truncated to Telegram's limit for one message.
        keyboard: rows of (label, callback data of 1-64 bytes).
        answers: id of the message to reply to.
    """
    payload: dict[str, Any] = NO_PREVIEW | {"text": clip(text)} | reply_parameters(answers)
    if keyboard:
        payload["reply_markup"] = buttons(keyboard)
    return call_row(lane, "sendMessage", payload)


def message_row(lane: Lane, text: str, extra: Mapping[str, Any] | None = None) -> NewOutbox:
    """Return the row that sends a text without link previews; ``extra`` are further parameters or payload keys."""
    return call_row(lane, "sendMessage", NO_PREVIEW | {"text": text, **(extra or {})})


def edit_row(lane: Lane, message_id: int, text: str, extra: Mapping[str, Any] | None = None) -> NewOutbox:
    """Return the row that replaces the text of a message."""
    payload = NO_PREVIEW | {"text": text, **(extra or {}), "message_id": message_id}
    return call_row(lane, "editMessageText", payload, kind="edit")


def edit_of_row(row: NewOutbox, edited_part: int) -> NewOutbox:
    """Return the row that edits the message of part ``edited_part`` of the same turn to the text of ``row``."""
    return replace(row, method="editMessageText", payload={**row.payload, EDIT_OF_PART: edited_part}, kind="edit")


def with_priority(rows: Iterable[NewOutbox], priority: Priority) -> list[NewOutbox]:
    """Return the same rows with that priority."""
    return [replace(row, priority=priority) for row in rows]


def deletion_row(lane: Lane, message_id: int) -> NewOutbox:
    """Return the row that deletes a message."""
    return call_row(lane, "deleteMessage", {"message_id": message_id}, kind="delete")


def buttons(rows: Sequence[Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """Return an inline keyboard of rows of (label, callback data of 1-64 bytes)."""
    return {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in row] for row in rows]}


def reply_parameters(message_id: int | None) -> dict[str, Any]:
    """Return the parameter that makes a message a reply to another one, if that still exists."""
    if message_id is None:
        return {}
    return {"reply_parameters": {"message_id": message_id, "allow_sending_without_reply": True}}


def as_reply(rows: Sequence[NewOutbox], to: Callable[[Connection], int | None]) -> Sequence[NewOutbox]:
    """Return the rows with the first one as a reply to the message that ``to`` returns when the row is stored."""
    if not rows:
        return rows

    def late(conn: Connection) -> JsonObject:
        return reply_parameters(to(conn))

    first, *others = rows
    return [replace(first, late=late), *others]
