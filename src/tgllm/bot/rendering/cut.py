"""Cuts a text with formatted ranges into messages; a range that is cut continues in the next message."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import accumulate

from tgllm.bot.rendering.payloads import ENTITIES_LIMIT, Entity, EntityText
from tgllm.bot.rendering.spans import FlatText, Span
from tgllm.bot.rendering.split import MESSAGE_LIMIT, index_within, is_visible

__all__ = ["cut", "last_part"]

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_SPACE = re.compile(r"\s+")
_FORMS = frozenset({"pre"})
_UNITS = frozenset({"pre", "code", "text_link"})


def cut(flat: FlatText, limit: int = MESSAGE_LIMIT) -> list[EntityText]:
    """Return messages of at most ``limit`` UTF-16 units and 100 entities, each with visible text.

    Cuts are at paragraphs, lines, sentences or words, in this order of preference, and where possible not inside code
    and links. Only white space at the cuts is dropped.
    """
    text, spans = flat.text, flat.spans
    parts: list[EntityText] = []
    start = _begin(text, spans, 0)
    while start < len(text):
        spans = tuple(span for span in spans if span.end > start)
        end = _end_of_part(text, spans, start, limit)
        parts.append(_part(text, spans, start, end))
        start = _begin(text, spans, end)
    return [part for part in parts if is_visible(part.text)]


def last_part(flat: FlatText, limit: int = MESSAGE_LIMIT) -> EntityText:
    """Return the end of a growing text as one message; an ellipsis marks text left out before it."""
    text, spans = flat.text, flat.spans
    start, end = _begin(text, spans, 0), len(text)
    if index_within(text, start, end, limit) < end:
        start = _start_of_tail(text, limit - 1)
        start = max(start, _entity_floor(spans, start))
        tail = _part(text, [span for span in spans if span.end > start], start, end)
        moved = tuple(_moved(entity, 1) for entity in tail.entities)
        return EntityText("…" + tail.text, moved)
    return _part(text, spans, start, end) if text else EntityText("")


def _end_of_part(text: str, spans: Sequence[Span], start: int, limit: int) -> int:
    """Return the best end for the part that begins at ``start``."""
    end = index_within(text, start, len(text), limit)
    if len(spans) > ENTITIES_LIMIT:
        end = min(end, spans[ENTITIES_LIMIT].start)
    if end == len(text):
        return end
    floor = start + (end - start) // 2
    near = [span for span in spans if span.start < end and span.end > floor]
    for pattern, whole in (
        (_PARAGRAPH, _FORMS),
        (_LINE, _FORMS),
        (_LINE, frozenset[str]()),
        (_SENTENCE, _UNITS),
        (_SPACE, _UNITS),
        (_SPACE, frozenset[str]()),
    ):
        place = _last_place(text, pattern, floor, end, _outside(near, whole))
        if place is not None and _has_text(text, start, place):
            return place
    return _between_characters(text, start, end)


def _last_place(text: str, pattern: re.Pattern[str], floor: int, end: int, fits: Callable[[int], bool]) -> int | None:
    # Search one character further: a cut directly before white space at the end is as good.
    places = [found.start() for found in pattern.finditer(text, floor, end + 1) if found.start() <= end]
    return next((place for place in reversed(places) if fits(place)), None)


def _outside(spans: Sequence[Span], kinds: frozenset[str]) -> Callable[[int], bool]:
    ranges = [(span.start, span.end) for span in spans if span.type in kinds]
    return lambda place: not any(start < place < end for start, end in ranges)


def _has_text(text: str, start: int, end: int) -> bool:
    return not text[start:end].isspace() and end > start


def _between_characters(text: str, start: int, end: int) -> int:
    """Return an end that doesn't separate a letter from its accents or the parts of an emoji, where there is one."""
    place = end
    while place > start + 1 and end - place < 16 and _joins(text, place):
        place -= 1
    return place if not _joins(text, place) else end


def _joins(text: str, place: int) -> bool:
    return text[place - 1] == "\u200d" or unicodedata.category(text[place]) in {"Mn", "Me", "Cf", "Sk"}


def _begin(text: str, spans: Sequence[Span], place: int) -> int:
    """Return the start of the next part: after white space, but before the indentation of code."""
    while place < len(text) and text[place].isspace():
        inside = any(span.type == "pre" and span.start <= place < span.end for span in spans)
        if inside and text[place] != "\n":
            line = text.find("\n", place)
            if text[place : line if line >= 0 else None].strip():
                break
        place += 1
    return place


def _part(text: str, spans: Sequence[Span], start: int, end: int) -> EntityText:
    """Return the text between two offsets as a message."""
    piece = text[start:end].rstrip()
    units = _unit_offsets(piece)
    entities: list[Entity] = []
    for span in spans:
        first, last = max(span.start - start, 0), min(span.end - start, len(piece))
        if first < last and not piece[first:last].isspace():
            offset = units(first)
            entities.append(Entity(span.type, offset, units(last) - offset, span.url, span.language))
    return EntityText(piece, tuple(entities))


def _unit_offsets(text: str) -> Callable[[int], int]:
    """Return a function that converts character offsets to UTF-16 offsets."""
    if text.isascii() or max(text) <= "\uffff":
        return lambda place: place
    offsets = list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))
    return offsets.__getitem__


def _start_of_tail(text: str, limit: int) -> int:
    """Return the start of the longest tail that fits ``limit`` units."""
    start, units = len(text), 0
    while start:
        units += 2 if text[start - 1] > "\uffff" else 1
        if units > limit:
            break
        start -= 1
    return start


def _entity_floor(spans: Sequence[Span], start: int) -> int:
    """Return a start from which the tail has no more entities than a message may have."""
    kept = sorted(span.end for span in spans if span.end > start)
    return kept[-ENTITIES_LIMIT - 1] if len(kept) > ENTITIES_LIMIT else start


def _moved(entity: Entity, units: int) -> Entity:
    return Entity(entity.type, entity.offset + units, entity.length, entity.url, entity.language)
