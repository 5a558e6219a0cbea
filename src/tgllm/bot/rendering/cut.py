"""Cuts a text with formatted ranges into messages; a range that is cut continues in the next message."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from tgllm.bot.rendering.payloads import ENTITIES_LIMIT, Entity, EntityText
from tgllm.bot.rendering.spans import FlatText, Span
from tgllm.bot.rendering.split import MESSAGE_LIMIT, index_within, is_visible, utf16_length

__all__ = ["cut", "first_part", "last_part"]

_PARAGRAPH = re.compile(r"\n[ \t]*+\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<=[.!?…])\s++")
_SPACE = re.compile(r"\s++")
_FORMS = frozenset({"pre"})
_UNITS = frozenset({"pre", "code", "text_link"})


def cut(flat: FlatText, limit: int = MESSAGE_LIMIT) -> list[EntityText]:
    """Return messages of at most ``limit`` UTF-16 units and 100 entities, each with visible text.

    Cuts are at paragraphs, lines, sentences or words, in this order of preference, and where possible not inside code
    and links. Only white space at the cuts is dropped.
    """
    cutter = _Cutter(flat, limit)
    parts: list[EntityText] = []
    while (part := cutter.next_part()) is not None:
        if is_visible(part.text):
            parts.append(part)
    return parts


def first_part(flat: FlatText, limit: int = MESSAGE_LIMIT) -> tuple[EntityText, bool]:
    """Return the first message, and whether others follow; an empty one if no text is visible."""
    cutter = _Cutter(flat, limit)
    first: EntityText | None = None
    while (part := cutter.next_part()) is not None:
        if not is_visible(part.text):
            continue
        if first is not None:
            return first, True
        first = part
    return first or EntityText(""), False


def last_part(flat: FlatText, limit: int = MESSAGE_LIMIT, *, is_cut: bool = False) -> EntityText:
    """Return the end of a growing text as one message; an ellipsis marks text left out before it.

    Args:
        flat: the text.
        limit: most UTF-16 units of the message.
        is_cut: whether text before this one has been left out already.
    """
    text, spans = flat.text, _visible(flat)
    start, end = _Forms(spans).begin(text, 0), len(text)
    if is_cut or index_within(text, start, end, limit) < end:
        start = max(start, _start_of_tail(text, limit - 1))
        start = max(start, _entity_floor(spans, start))
        tail = _part(text, spans, start, end)
        moved = tuple(_moved(entity, 1) for entity in tail.entities)
        return EntityText("…" + tail.text, moved)
    return _part(text, spans, start, end) if text else EntityText("")


class _Cutter:
    """Cuts parts from a text in order. Each part looks only at the spans that it shows."""

    def __init__(self, flat: FlatText, limit: int) -> None:
        self._text = flat.text
        self._spans = _visible(flat)
        self._limit = limit
        self._forms = _Forms(self._spans)
        self._start = self._forms.begin(flat.text, 0)
        self._current: list[Span] = []
        """Spans that began before the part and may continue in it; they contain each other, so they are few."""
        self._next = 0
        """Index of the first span that begins in the part or after it."""

    def next_part(self) -> EntityText | None:
        """Return the next part, possibly without visible text; None at the end of the text."""
        start = self._start
        if start >= len(self._text):
            return None
        # As many as a message may have, and the one that would be too much.
        near = [*self._current, *self._spans[self._next : self._next + ENTITIES_LIMIT + 1]]
        near = [span for span in near if span.end > start]
        end = _end_of_part(self._text, near, start, self._limit)
        part = _part(self._text, near, start, end)
        self._start = self._forms.begin(self._text, end)
        self._advance()
        return part

    def _advance(self) -> None:
        while self._next < len(self._spans) and self._spans[self._next].start <= self._start:
            self._current.append(self._spans[self._next])
            self._next += 1
        self._current = [span for span in self._current if span.end > self._start]


class _Forms:
    """The code blocks of a text, whose indentation is kept."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._ranges = [(span.start, span.end) for span in spans if span.type in _FORMS]

    def begin(self, text: str, place: int) -> int:
        """Return the start of the next part: after white space, but before the indentation of code."""
        found = _SPACE.match(text, place)
        if found is None:
            return place
        end = found.end()
        index = bisect_right(self._ranges, (end, len(text))) - 1
        if end < len(text) and index >= 0 and end < self._ranges[index][1]:
            line = text.rfind("\n", place, end) + 1
            return max(place, line, self._ranges[index][0])
        return end


def _visible(flat: FlatText) -> Sequence[Span]:
    """Return the spans without those of white space, which Telegram would drop."""
    return [span for span in flat.spans if not flat.text[span.start : span.end].isspace()]


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
    """Return a function that tells whether a place is inside none of the spans of these kinds, which never overlap."""
    ranges = [(span.start, span.end) for span in spans if span.type in kinds]

    def is_outside(place: int) -> bool:
        index = bisect_left(ranges, (place, 0)) - 1
        return index < 0 or ranges[index][1] <= place

    return is_outside


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


def _part(text: str, spans: Sequence[Span], start: int, end: int) -> EntityText:
    """Return the text between two offsets as a message."""
    piece = text[start:end].rstrip()
    units = _unit_offsets(piece) if spans else int
    entities: list[Entity] = []
    for span in spans:
        first, last = max(span.start - start, 0), min(span.end - start, len(piece))
        if first < last and not piece[first:last].isspace():
            offset = units(first)
            entities.append(Entity(span.type, offset, units(last) - offset, span.url, span.language))
    return EntityText(piece, tuple(entities))


def _unit_offsets(text: str) -> Callable[[int], int]:
    """Return a function that converts character offsets to UTF-16 offsets."""
    if utf16_length(text) == len(text):
        return int
    offsets = list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))
    return offsets.__getitem__


def _start_of_tail(text: str, limit: int) -> int:
    """Return the start of the longest tail that fits ``limit`` units."""
    start = max(len(text) - limit, 0)
    units = utf16_length(text[start:])
    while units > limit:
        units -= 2 if text[start] > "\uffff" else 1
        start += 1
    return start


def _entity_floor(spans: Sequence[Span], start: int) -> int:
    """Return a start from which the tail has no more entities than a message may have."""
    kept = sorted(span.end for span in spans if span.end > start)
    return kept[-ENTITIES_LIMIT - 1] if len(kept) > ENTITIES_LIMIT else start


def _moved(entity: Entity, units: int) -> Entity:
    return Entity(entity.type, entity.offset + units, entity.length, entity.url, entity.language)
