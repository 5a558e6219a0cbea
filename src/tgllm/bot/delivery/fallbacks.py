"""Fallbacks if Telegram rejects a message: rich, then entities, then plain text; a picture, then a file.

An outbox row contains its fallbacks, so they need neither the model's Markdown nor the same version of the program. A
rich message can be longer than a text message; the row's fallback is then several messages, sent one after another.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tgllm.bot.rendering.payloads import Payload, RichMessage
from tgllm.services.messaging.rows import NO_PREVIEW

__all__ = ["OURS", "PLACE", "following", "formatted", "method_of", "stepped_down", "with_fallback"]

FALLBACK = "fallback"
"""Key in the payload of a rich message or a file: the parameters of the equivalent texts, or of the
picture as a file."""
FOLLOWING = "following"
"""Key in the payload of a fallback: the parameters of the texts that the same row sends after it."""
FOLLOWING_MARKUP = "following_markup"
"""Key in a payload: the buttons of the last of the following texts."""

OURS = frozenset({FALLBACK, FOLLOWING, FOLLOWING_MARKUP})
"""Keys that are not Bot API parameters."""
_FORMATS = OURS | {"rich_message", "photo", "document", "caption", "text", "entities", "link_preview_options"}
_METHODS = {"rich_message": "sendRichMessage", "document": "sendDocument", "photo": "sendPhoto"}
PLACE = frozenset(
    {
        "chat_id",
        "business_connection_id",
        "message_thread_id",
        "direct_messages_topic_id",
        "ephemeral_message_parameters",
    }
)
"""Parameters that say where a message is sent."""


def formatted(payload: Payload) -> dict[str, Any]:
    """Return the part of a row's payload that holds the content, with its fallback."""
    if isinstance(payload, RichMessage):
        return with_fallback(payload.as_parameters(), payload.fallback)
    return {**payload.as_parameters(), **NO_PREVIEW}


def with_fallback(parameters: Mapping[str, Any], texts: Iterable[Payload]) -> dict[str, Any]:
    """Return the parameters with a fallback to these texts."""
    return {**parameters, FALLBACK: [text.as_parameters() for text in texts]}


def method_of(payload: Mapping[str, Any]) -> str:
    """Return the method that sends such a payload as a new message."""
    return next((method for key, method in _METHODS.items() if key in payload), "sendMessage")


def stepped_down(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the payload's fallback, with less formatting; None if there is none."""
    common = {key: value for key, value in payload.items() if key not in _FORMATS}
    if FALLBACK in payload:
        return _first_of(common, payload[FALLBACK])
    if "entities" in payload:
        return {key: value for key, value in payload.items() if key != "entities"}
    return None


def following(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the row sends after this payload; None if nothing."""
    rest: Sequence[Mapping[str, Any]] = payload.get(FOLLOWING) or ()
    place = {key: value for key, value in payload.items() if key in PLACE}
    markup = {"reply_markup": payload[FOLLOWING_MARKUP]} if FOLLOWING_MARKUP in payload else {}
    return _first_of(place | markup, rest) if rest else None


def _first_of(common: Mapping[str, Any], texts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not texts:
        return None
    first, *rest = texts
    made = {**common, **(NO_PREVIEW if "text" in first else {}), **first}
    if rest:
        made[FOLLOWING] = rest
        if "reply_markup" in made:
            made[FOLLOWING_MARKUP] = made.pop("reply_markup")
    return made
