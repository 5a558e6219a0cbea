"""Adds a quote of plain text above an answer."""

from collections.abc import Sequence
from dataclasses import replace

from tgllm.bot.rendering.payloads import ENTITIES_LIMIT, Entity, EntityText, Payload, RichMessage
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length

__all__ = ["UNFOLDED", "with_quote_above"]

UNFOLDED = 300
"""Most UTF-16 units of a quote that is shown whole; a longer one has to be unfolded."""
_GAP = "\n\n"


def with_quote_above(payloads: Sequence[Payload], quote: str) -> list[Payload]:
    """Return the messages with a quote above the first one, in the same message if it fits.

    The quote is not added to the Markdown, since its text has no formats.
    """
    if not quote:
        return list(payloads)
    alone = _quoted(quote)
    if not payloads:
        return [alone]
    first, *others = payloads
    if isinstance(first, RichMessage):
        block = {"type": "blockquote", "blocks": [{"type": "paragraph", "text": quote}]}
        before = _above(first.fallback[0], alone)
        return [replace(first, blocks=[block, *first.blocks], fallback=(*before, *first.fallback[1:])), *others]
    return [*_above(first, alone), *others]


def _quoted(quote: str) -> EntityText:
    length = utf16_length(quote)
    return EntityText(quote, (Entity("expandable_blockquote" if length > UNFOLDED else "blockquote", 0, length),))


def _above(message: EntityText, quote: EntityText) -> list[EntityText]:
    text = f"{quote.text}{_GAP}{message.text}"
    if utf16_length(text) > MESSAGE_LIMIT or len(message.entities) >= ENTITIES_LIMIT:
        return [quote, message]
    shift = utf16_length(quote.text + _GAP)
    moved = (replace(entity, offset=entity.offset + shift) for entity in message.entities)
    return [EntityText(text, (*quote.entities, *moved))]
