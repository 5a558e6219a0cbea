"""Adds a note of the bot to an answer."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length

__all__ = ["with_note"]


def with_note(payloads: Sequence[Payload], note: str) -> list[Payload]:
    """Return the messages with a plain-text note at the end, in the last message if it fits.

    The note is not added to the Markdown, since a code block that was cut off would include it.
    """
    if not note:
        return list(payloads)
    if not payloads:
        return [EntityText(note)]
    *others, last = payloads
    if isinstance(last, RichMessage):
        return [*others, _rich_with_note(last, note)]
    return [*others, *_text_with_note(last, note)]


def _rich_with_note(message: RichMessage, note: str) -> RichMessage:
    *others, last = message.fallback
    fallback = (*others, *_text_with_note(last, note))
    return replace(message, blocks=[*message.blocks, {"type": "paragraph", "text": note}], fallback=fallback)


def _text_with_note(message: EntityText, note: str) -> list[EntityText]:
    text = f"{message.text}\n\n{note}"
    if utf16_length(text) > MESSAGE_LIMIT:
        return [message, EntityText(note)]
    return [replace(message, text=text)]
