"""Outbox rows for the messages that the bot writes."""

from collections.abc import Iterable, Mapping
from typing import Any

from tgllm.bot.delivery.fallbacks import formatted, method_of
from tgllm.bot.rendering.payloads import EntityText, Payload
from tgllm.bot.rendering.split import split_text
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import mend_surrogates
from tgllm.services.messaging.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE, buttons, call_row, reply_parameters

__all__ = [
    "EDIT_OF_PART",
    "PLACEHOLDER",
    "REPEATABLE",
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
    # A plugin's text may hold half a letter, over which the whole message could not be sent.
    texts = split_text(mend_surrogates(text))
    rows: list[NewOutbox] = []
    for index, part in enumerate(texts):
        payload = formatted(EntityText(part)) | reply_parameters(reply_to if index == 0 else None)
        if index == len(texts) - 1 and reply_markup is not None:
            payload["reply_markup"] = reply_markup
        rows.append(call_row(lane, "sendMessage", payload, turn_id=turn_id, part=first_part + index))
    return rows


def answer_rows(
    lane: Lane, payloads: Iterable[Payload], *, turn_id: str | None = None, first_part: int = 0
) -> list[NewOutbox]:
    """The rows that send a rendered answer, in order.

    Args:
        lane: where to.
        payloads: what to send.
        turn_id: the turn that it belongs to, so that repeating the turn can't store it twice.
        first_part: place of the first row among the rows of the turn.
    """
    made = [formatted(payload) for payload in payloads]
    return [
        call_row(lane, method_of(payload), payload, turn_id=turn_id, part=part)
        for part, payload in enumerate(made, first_part)
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
    return call_row(
        lane, "editMessageText", payload | reply_parameters(reply_to), kind="edit", turn_id=turn_id, part=part
    )


def placeholder_row(
    lane: Lane, text: str, *, turn_id: str, reply_to: int | None, reply_markup: Mapping[str, Any]
) -> NewOutbox:
    """The row that sends a message for an answer to be written into, as part 0 of its turn."""
    payload = (
        formatted(EntityText(text)) | reply_parameters(reply_to) | {"reply_markup": reply_markup, PLACEHOLDER: True}
    )
    return call_row(lane, "sendMessage", payload, turn_id=turn_id)


def without_buttons(lane: Lane, message_id: int) -> NewOutbox:
    """The row that removes the buttons under a message. Bot API: editMessageReplyMarkup."""
    return call_row(lane, "editMessageReplyMarkup", {"message_id": message_id}, kind="edit")


def document_row(lane: Lane, payload: Mapping[str, Any], *, turn_id: str | None = None, part: int = 0) -> NewOutbox:
    """The row that sends a file: see ``documents.document_payload``; perhaps one that belongs to a turn."""
    return call_row(lane, "sendDocument", payload, turn_id=turn_id, part=part)
