"""Outbox rows for the messages that the bot writes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tgllm.bot.rendering.payloads import EntityText, Payload
from tgllm.bot.rendering.split import split_text
from tgllm.bot.steps import formatted, method_of
from tgllm.db.outbox import Kind, NewOutbox
from tgllm.services.lane import Lane
from tgllm.services.payload_keys import EDIT_OF_PART, PLACEHOLDER

__all__ = [
    "EDIT_OF_PART",
    "PLACEHOLDER",
    "answer_rows",
    "buttons",
    "document_row",
    "edit_of_part",
    "message_rows",
    "placeholder_row",
    "without_buttons",
]


def message_rows(
    lane: Lane,
    text: str,
    *,
    turn_id: str | None = None,
    first_part: int = 0,
    reply_to: int | None = None,
    reply_markup: Mapping[str, Any] | None = None,
) -> list[NewOutbox]:
    """The rows that send a text of any length, in order.

    Args:
        lane: where to.
        text: plain text.
        turn_id: the turn that it belongs to, so that repeating the turn can't store it twice.
        first_part: place of the first row among the rows of the turn.
        reply_to: the message that the first part answers visibly.
        reply_markup: buttons under the last part.
    """
    texts = split_text(text)
    rows: list[NewOutbox] = []
    for index, part in enumerate(texts):
        payload = formatted(EntityText(part)) | _reply(reply_to if index == 0 else None)
        if index == len(texts) - 1 and reply_markup is not None:
            payload["reply_markup"] = reply_markup
        rows.append(_row(lane, "sendMessage", "send", payload, turn_id, first_part + index))
    return rows


def answer_rows(lane: Lane, payloads: Iterable[Payload], *, turn_id: str, first_part: int = 0) -> list[NewOutbox]:
    """The rows that send a rendered answer, in order.

    Args:
        lane: where to.
        payloads: what to send.
        turn_id: the turn that it belongs to.
        first_part: place of the first row among the rows of the turn.
    """
    made = [formatted(payload) for payload in payloads]
    return [
        _row(lane, method_of(payload), "send", payload, turn_id, part) for part, payload in enumerate(made, first_part)
    ]


def edit_of_part(
    lane: Lane, answer: Payload, *, turn_id: str, part: int, edited_part: int, reply_to: int | None
) -> NewOutbox:
    """The row that replaces the text of a message sent earlier in the same turn, and removes its buttons.

    If there is no such message after all, the text is sent as a new one.

    Args:
        lane: where the message is.
        answer: what the message becomes.
        turn_id: the turn of both.
        part: place of this row among the rows of the turn.
        edited_part: place of the row that sent the message.
        reply_to: the message that a new one would answer visibly.
    """
    payload = formatted(answer) | {EDIT_OF_PART: edited_part}
    if lane.topic_id is not None:
        payload["message_thread_id"] = lane.topic_id
    return _row(lane, "editMessageText", "edit", payload | _reply(reply_to), turn_id, part)


def placeholder_row(
    lane: Lane, text: str, *, turn_id: str, reply_to: int | None, reply_markup: Mapping[str, Any]
) -> NewOutbox:
    """The row that sends a message for an answer to be written into, as part 0 of its turn."""
    payload = formatted(EntityText(text)) | _reply(reply_to) | {"reply_markup": reply_markup, PLACEHOLDER: True}
    return _row(lane, "sendMessage", "send", payload, turn_id, 0)


def without_buttons(lane: Lane, message_id: int) -> NewOutbox:
    """The row that removes the buttons under a message. Bot API: editMessageReplyMarkup."""
    return _row(lane, "editMessageReplyMarkup", "edit", {"message_id": message_id}, None, 0)


def document_row(lane: Lane, payload: Mapping[str, Any], *, turn_id: str | None = None, part: int = 0) -> NewOutbox:
    """The row that sends a file: see ``documents.document_payload``; perhaps one that belongs to a turn."""
    return _row(lane, "sendDocument", "send", payload, turn_id, part)


def buttons(rows: Sequence[Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """An inline keyboard of (text, callback data of 1-64 bytes)."""
    return {"inline_keyboard": [[{"text": text, "callback_data": data} for text, data in row] for row in rows]}


def _reply(message_id: int | None) -> dict[str, Any]:
    if message_id is None:
        return {}
    return {"reply_parameters": {"message_id": message_id, "allow_sending_without_reply": True}}


def _row(lane: Lane, method: str, kind: Kind, payload: Mapping[str, Any], turn_id: str | None, part: int) -> NewOutbox:
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
