"""Outbox rows for the messages that the bot writes."""

from collections.abc import Iterable, Mapping
from typing import Any

from tgllm.bot.delivery.fallbacks import formatted, method_of
from tgllm.bot.rendering.payloads import EntityText, Payload
from tgllm.bot.rendering.split import MESSAGE_LIMIT, split_text
from tgllm.db.tables.outbox import TIDY, NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import clip, mend_surrogates
from tgllm.services.messaging.rows import (
    EDIT_OF_PART,
    PLACEHOLDER,
    REPEATABLE,
    as_reply,
    buttons,
    call_row,
    place_in_chat,
    reply_parameters,
)

__all__ = [
    "EDIT_OF_PART",
    "MOST_MESSAGES",
    "PLACEHOLDER",
    "REPEATABLE",
    "answer_rows",
    "as_reply",
    "buttons",
    "document_row",
    "edit_of_part",
    "message_rows",
    "placeholder_row",
    "without_buttons",
]

MOST_MESSAGES = 20
"""Most messages that one text of the bot or of a plugin is split into; longer texts are sent as files."""


def message_rows(
    lane: Lane,
    text: str,
    *,
    turn_id: str | None = None,
    first_part: int = 0,
    reply_to: int | None = None,
    reply_markup: Mapping[str, Any] | None = None,
) -> list[NewOutbox]:
    """Return the rows that send a text of any length, in order.

    Args:
        lane: lane of the chat.
        text: plain text; what does not fit ``MOST_MESSAGES`` messages is left out.
        turn_id: turn of the text; a repeated turn does not store its rows twice.
        first_part: position of the first row among the rows of the turn.
        reply_to: the message to which the first part is a reply.
        reply_markup: buttons under the last part.
    """
    # A plugin's text may hold a lone surrogate, with which the message could not be sent.
    texts = split_text(mend_surrogates(clip(text, MOST_MESSAGES * MESSAGE_LIMIT)))[:MOST_MESSAGES]
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
    """Return the rows that send a rendered answer, in order.

    Args:
        lane: lane of the chat.
        payloads: the messages.
        turn_id: turn of the answer; a repeated turn does not store its rows twice.
        first_part: position of the first row among the rows of the turn.
    """
    made = [formatted(payload) for payload in payloads]
    return [
        call_row(lane, method_of(payload), payload, turn_id=turn_id, part=part)
        for part, payload in enumerate(made, first_part)
    ]


def edit_of_part(
    lane: Lane, answer: Payload, *, turn_id: str, part: int, edited_part: int, reply_to: int | None
) -> NewOutbox:
    """Return the row that replaces a message sent earlier in the same turn, and removes its buttons.

    If the message does not exist, the answer is sent as a new message.

    Args:
        lane: lane of the chat.
        answer: new content of the message.
        turn_id: turn of both rows.
        part: position of this row among the rows of the turn.
        edited_part: position of the row that sent the message.
        reply_to: the message to which a new message would be a reply.
    """
    payload = formatted(answer) | {EDIT_OF_PART: edited_part} | place_in_chat(lane)
    return call_row(
        lane, "editMessageText", payload | reply_parameters(reply_to), kind="edit", turn_id=turn_id, part=part
    )


def placeholder_row(
    lane: Lane, text: str, *, turn_id: str, reply_to: int | None, reply_markup: Mapping[str, Any]
) -> NewOutbox:
    """Return the row that sends a placeholder for an answer, as part 0 of its turn."""
    payload = (
        formatted(EntityText(text)) | reply_parameters(reply_to) | {"reply_markup": reply_markup, PLACEHOLDER: True}
    )
    return call_row(lane, "sendMessage", payload, turn_id=turn_id)


def without_buttons(lane: Lane, message_id: int) -> NewOutbox:
    """Return the row that removes the buttons of a message. Bot API: editMessageReplyMarkup."""
    return call_row(lane, "editMessageReplyMarkup", {"message_id": message_id}, kind="edit", priority=TIDY)


def document_row(lane: Lane, payload: Mapping[str, Any], *, turn_id: str | None = None, part: int = 0) -> NewOutbox:
    """Return the row that sends a file or a picture, see ``files``; ``turn_id`` is None outside a turn."""
    return call_row(lane, method_of(payload), payload, turn_id=turn_id, part=part)
