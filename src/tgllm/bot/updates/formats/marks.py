"""Formats within a line, as properly nested marks.

Telegram's formats may overlap, and one may cover several lines; marks of Markdown may not. The work grows with the
number of formats and lines: a kind of format is open at most once at any place, so a format is split at most once for
each kind.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from tgllm.bot.updates.formats.entities import Entity
from tgllm.bot.updates.formats.written import Written

__all__ = ["INLINE", "Mark", "nested_marks", "without_overlaps"]

INLINE: Final = (
    *(f"heading{size}" for size in range(1, 7)),
    "text_link",
    "date_time",
    "spoiler",
    "marked",
    "underline",
    "strikethrough",
    "bold",
    "italic",
    "superscript",
    "subscript",
    "mathematical_expression",
    "code",
)
"""The formats of a line. Of two with the same range the first is the outer one."""

_RANK: Final = {kind: rank for rank, kind in enumerate(INLINE)}


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of a format that lies in one line, and in one piece of each format around it."""

    start: int
    end: int
    entity: Entity


def nested_marks(written: Written, quotes: Sequence[Entity], fences: Sequence[Entity]) -> list[Mark]:
    """Return the marks of a text in the order of their starts, the outer ones first.

    Args:
        written: the text.
        quotes: disjoint and in order; a mark lies in one or outside of all.
        fences: blocks of code, disjoint and in order; no mark lies in one. None is in a quote only partly.
    """
    cuts = _cuts(written.text, quotes, fences)
    by_kind: dict[str, list[Entity]] = {}
    for entity in written.entities:
        if entity.kind in _RANK:
            by_kind.setdefault(entity.kind, []).append(entity)
    pieces = [
        piece
        for entities in by_kind.values()
        for entity in without_overlaps(entities)
        for piece in _pieces(entity, written.text, cuts)
    ]
    return list(_nested(pieces, written.text))


def without_overlaps(entities: Iterable[Entity], *, adjacent: bool = True) -> Iterator[Entity]:
    """Yield the entities of one kind without overlaps; equal ones that overlap become one.

    Args:
        entities: in the order of their starts.
        adjacent: whether equal ones that are next to each other become one as well.
    """
    last: Entity | None = None
    for entity in entities:
        if last is None:
            last = entity
            continue
        touches = entity.start < last.end or (adjacent and entity.start == last.end)
        if touches and entity.key == last.key:
            last = _moved(last, last.start, max(last.end, entity.end))
        elif entity.start >= last.end:
            yield last
            last = entity
        elif entity.end > last.end:
            yield last
            last = _moved(entity, last.end, entity.end)
    if last is not None:
        yield last


def _moved(entity: Entity, start: int, end: int) -> Entity:
    return Entity(entity.kind, start, end, entity.url, entity.language, entity.user_id, entity.unix_time)


def _cuts(text: str, quotes: Sequence[Entity], fences: Sequence[Entity]) -> list[tuple[int, int]]:
    """Return the ranges that no mark contains, in order: line breaks, blocks of code, and the edges of quotes."""
    cuts = [(edge, edge) for quote in quotes for edge in (quote.start, quote.end)]
    at = 0
    for fence in fences:
        cuts += _breaks(text, at, fence.start)
        cuts.append((fence.start, fence.end))
        at = fence.end
    return sorted([*cuts, *_breaks(text, at, len(text))])


def _breaks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    return ((at, at + 1) for at in range(start, end) if text[at] == "\n")


def _pieces(entity: Entity, text: str, cuts: Sequence[tuple[int, int]]) -> Iterator[Mark]:
    """Yield the parts of an entity between the cuts, without white space around them."""
    at = entity.start
    # The cut before may contain the start.
    for number in range(max(0, bisect_right(cuts, (at, -1)) - 1), len(cuts)):
        low, high = cuts[number]
        if low >= entity.end:
            break
        yield from _trimmed(entity, at, low, text)
        at = max(at, high)
    yield from _trimmed(entity, at, entity.end, text)


def _trimmed(entity: Entity, start: int, end: int, text: str) -> Iterator[Mark]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Mark(start, end, entity)


def _nested(pieces: Sequence[Mark], text: str) -> Iterator[Mark]:
    """Yield the pieces, those that overlap only partly split at the end of the one that began first."""
    waiting = [(each.start, -each.end, _RANK[each.entity.kind], each.entity.start, each) for each in pieces]
    heapify(waiting)
    around: list[Mark] = []
    while waiting:
        start, before, rank, place, mark = heappop(waiting)
        end = -before
        while around and around[-1].end <= start:
            around.pop()
        outer = around[-1] if around else None
        if outer is not None and end > outer.end:
            for rest in _trimmed(mark.entity, outer.end, end, text):
                heappush(waiting, (rest.start, -rest.end, rank, place, rest))
            end = outer.end
        # Nothing is formatted within code.
        if outer is None or outer.entity.kind != "code":
            around.append(Mark(start, end, mark.entity))
            yield around[-1]
