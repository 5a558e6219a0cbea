"""Adds notes of the bot to an answer: plain text, and links."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tgllm.bot.rendering.payloads import ENTITIES_LIMIT, Entity, EntityText, Payload, RichMessage
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length

__all__ = ["Links", "with_links", "with_note"]

_GAP: Final = "\n\n"
_UNFOLDED: Final = 2
"""Most links that are shown without unfolding them."""
_MOST_RICH: Final = 2500
"""Most UTF-16 units of links and addresses that are added to a rich message, which has room for so many."""


@dataclass(frozen=True, slots=True)
class Links:
    """A list of links below an answer."""

    title: str
    """One line above the links; may be empty."""
    links: Sequence[tuple[str, str]] = ()
    """Texts with their addresses: plain text of one line, and web addresses."""
    rest: str = ""
    """One line below the links, such as how many are left out; may be empty."""


def with_note(payloads: Sequence[Payload], note: str) -> list[Payload]:
    """Return the messages with a plain-text note at the end, in the last message if it fits.

    The note is not added to the Markdown, since a code block that was cut off would include it.
    """
    if not note:
        return list(payloads)
    return _with_text(payloads, EntityText(note), [{"type": "paragraph", "text": note}])


def with_links(payloads: Sequence[Payload], links: Links) -> list[Payload]:
    """Return the messages with links at the end, numbered, in the last message if they fit; many are folded."""
    text = _text_of(links)
    if not text.text:
        return list(payloads)
    if payloads and isinstance(payloads[-1], RichMessage) and _units(links) > _MOST_RICH:
        return [*payloads, text]
    return _with_text(payloads, text, _blocks_of(links))


def _with_text(payloads: Sequence[Payload], added: EntityText, blocks: Sequence[dict[str, Any]]) -> list[Payload]:
    if not payloads:
        return [added]
    *others, last = payloads
    if isinstance(last, RichMessage):
        *before, end = last.fallback
        fallback = (*before, *_joined(end, added))
        return [*others, replace(last, blocks=[*last.blocks, *blocks], fallback=fallback)]
    return [*others, *_joined(last, added)]


def _joined(message: EntityText, added: EntityText) -> list[EntityText]:
    text = f"{message.text}{_GAP}{added.text}"
    if utf16_length(text) > MESSAGE_LIMIT or len(message.entities) + len(added.entities) > ENTITIES_LIMIT:
        return [message, added]
    shift = utf16_length(message.text + _GAP)
    moved = (replace(entity, offset=entity.offset + shift) for entity in added.entities)
    return [replace(message, text=text, entities=(*message.entities, *moved))]


def _text_of(links: Links) -> EntityText:
    """Return the links as a text; an expandable quote shows its first lines until a person unfolds it."""
    lines = [links.title] if links.title else []
    entities: list[Entity] = []
    for number, (text, url) in enumerate(links.links, 1):
        offset = utf16_length("".join(f"{line}\n" for line in lines) + _numbered(number))
        entities.append(Entity("text_link", offset, utf16_length(text), url=url))
        lines.append(f"{_numbered(number)}{text}")
    whole = "\n".join([*lines, links.rest] if links.rest else lines)
    if len(links.links) > _UNFOLDED:
        entities.insert(0, Entity("expandable_blockquote", 0, utf16_length(whole)))
    return EntityText(whole, tuple(entities))


def _blocks_of(links: Links) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"type": "paragraph", "text": parts} for parts in _lines_of(links)]
    title: list[dict[str, Any]] = [{"type": "paragraph", "text": links.title}] if links.title else []
    if len(links.links) <= _UNFOLDED:
        return [*title, *made]
    return [{"type": "details", "summary": links.title or _numbered(1).strip(), "blocks": made}]


def _lines_of(links: Links) -> Iterator[str | list[Any]]:
    for number, (text, url) in enumerate(links.links, 1):
        yield [_numbered(number), {"type": "url", "text": text, "url": url}]
    if links.rest:
        yield links.rest


def _numbered(number: int) -> str:
    return f"{number}. "


def _units(links: Links) -> int:
    return sum(utf16_length(text) + utf16_length(url) for text, url in links.links)
