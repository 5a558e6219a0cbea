"""Outbox rows for calls of the Bot API: the parameters that follow from where they go, and plain messages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tgllm.db.tables.outbox import Kind, NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import clip

__all__ = [
    "EDIT_OF_PART",
    "NO_PREVIEW",
    "PLACEHOLDER",
    "REPEATABLE",
    "buttons",
    "call_row",
    "deletion_row",
    "edit_of_row",
    "edit_row",
    "message_row",
    "plain_message",
    "reply_parameters",
]

EDIT_OF_PART = "edit_of_part"
"""In an edit: the part of the turn whose message is edited; its id is known only once it was sent."""


PLACEHOLDER = "placeholder"
"""In a message whose recipient does not miss it if it does not arrive, such as one that only holds the place for the
answer, or one of a broadcast."""


REPEATABLE = "repeatable"
"""In a message that may rather come twice than not at all."""


NO_PREVIEW: Final[dict[str, Any]] = {"link_preview_options": {"is_disabled": True}}
"""The parameter against previews of links, which would make Telegram fetch an address that a model wrote."""


def call_row(
    lane: Lane,
    method: str,
    payload: Mapping[str, Any],
    *,
    kind: Kind = "send",
    turn_id: str | None = None,
    part: int = 0,
) -> NewOutbox:
    """The row of a call.

    Args:
        lane: where to; its chat, topic and business connection become parameters.
        method: of the Bot API.
        payload: the other parameters.
        kind: whether twice would be seen.
        turn_id: the turn that it belongs to.
        part: place among the rows of the turn.
    """
    target: dict[str, Any] = {"chat_id": lane.chat_id}
    if lane.business_connection_id is not None:
        target["business_connection_id"] = lane.business_connection_id
    if lane.topic_id is not None and kind == "send":
        target["message_thread_id"] = lane.topic_id
    return NewOutbox(
        lane=lane.key,
        method=method,
        chat_id=lane.chat_id,
        thread_id=lane.topic_id,
        payload=target | dict(payload),
        turn_id=turn_id,
        part=part,
        kind=kind,
    )


def plain_message(
    lane: Lane, text: str, keyboard: Sequence[Sequence[tuple[str, str]]] = (), *, answers: int | None = None
) -> NewOutbox:
    """The row that sends one message of plain text without a preview of links.

    Args:
        lane: where to.
        text: what is over Telegram's limit for one message is cut off.
        keyboard: rows of (label, callback data of 1-64 bytes).
        answers: the message that it answers visibly.
    """
    payload: dict[str, Any] = NO_PREVIEW | {"text": clip(text)} | reply_parameters(answers)
    if keyboard:
        payload["reply_markup"] = buttons(keyboard)
    return call_row(lane, "sendMessage", payload)


def message_row(lane: Lane, text: str, extra: Mapping[str, Any] | None = None) -> NewOutbox:
    """The row that sends a text without a preview of links; ``extra`` are further parameters or payload keys."""
    return call_row(lane, "sendMessage", NO_PREVIEW | {"text": text, **(extra or {})})


def edit_row(lane: Lane, message_id: int, text: str, extra: Mapping[str, Any] | None = None) -> NewOutbox:
    """The row that replaces the text of a message."""
    payload = NO_PREVIEW | {"text": text, **(extra or {}), "message_id": message_id}
    return call_row(lane, "editMessageText", payload, kind="edit")


def edit_of_row(row: NewOutbox, edited_part: int) -> NewOutbox:
    """The row that sends the text of ``row`` as an edit of the message that a part of the same turn has sent."""
    return replace(row, method="editMessageText", payload={**row.payload, EDIT_OF_PART: edited_part}, kind="edit")


def deletion_row(lane: Lane, message_id: int) -> NewOutbox:
    """The row that deletes a message."""
    return call_row(lane, "deleteMessage", {"message_id": message_id}, kind="delete")


def buttons(rows: Sequence[Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """An inline keyboard of (text, callback data of 1-64 bytes)."""
    return {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in row] for row in rows]}


def reply_parameters(message_id: int | None) -> dict[str, Any]:
    """The parameter that makes a message answer another one visibly, if that is still there."""
    if message_id is None:
        return {}
    return {"reply_parameters": {"message_id": message_id, "allow_sending_without_reply": True}}
