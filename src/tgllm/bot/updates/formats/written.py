"""A text as its sender wrote it: the characters, and the entities that Telegram or the sender has set."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tgllm.bot.updates.formats.entities import Entity, read_entities

__all__ = ["Cut", "Written", "joined", "ordered", "read_written", "without", "written_in"]

_CODE: Final = frozenset({"pre", "code"})


@dataclass(frozen=True, slots=True)
class Written:
    """A text with its entities."""

    text: str = ""
    entities: tuple[Entity, ...] = ()
    """In the order of their starts; none exceeds the text."""

    def part(self, start: int, end: int | None = None) -> "Written":
        """Return a part of the text, with what it has of the entities."""
        stop = len(self.text) if end is None else end
        return Written(self.text[start:stop], ordered(_within(self.entities, start, stop)))

    def stripped(self) -> "Written":
        """Return the text without white space around it, apart from that of code: it may be an indentation."""
        end = len(self.text.rstrip())
        if not end:
            return Written()
        start = len(self.text) - len(self.text.lstrip())
        code = [each for each in self.entities if each.kind in _CODE and self.covered(each).strip()]
        return self.part(
            min([start, *(each.start for each in code)]),
            max([end, *(each.end for each in code)]),
        )

    def covered(self, entity: Entity) -> str:
        """Return the text of an entity."""
        return self.text[entity.start : entity.end]


@dataclass(frozen=True, slots=True)
class Cut:
    """A range of a text that is left out."""

    start: int
    end: int
    between: str = ""
    """What takes its place."""


def written_in(message: Mapping[str, Any]) -> Written:
    """Return the text or caption of a raw message, without rich messages. Bot API: Message."""
    for name, entities in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(name)
        if isinstance(text, str) and text:
            return read_written(text, message.get(entities))
    return Written()


def read_written(text: str, entities: object) -> Written:
    """Return a text with its raw entities. Bot API: Message, TextQuote."""
    return Written(text, read_entities(text, entities))


def joined(parts: Sequence[Written], between: str = "") -> Written:
    """Return several texts as one. A format that ends one part and begins the next one becomes a single entity."""
    found: list[Entity] = []
    ending: dict[tuple[str, str, str], int] = {}
    at = 0
    for number, part in enumerate(parts):
        at += len(between) if number else 0
        start, end, still = at, at + len(part.text), dict[tuple[str, str, str], int]()
        for entity in part.entities:
            moved = replace(entity, start=start + entity.start, end=start + entity.end)
            place = ending.get(moved.key) if moved.start == start and not between else None
            if place is None:
                place = len(found)
                found.append(moved)
            else:
                found[place] = replace(found[place], end=moved.end)
            if moved.end == end:
                still[moved.key] = place
        ending, at = still, end
    return Written(between.join(part.text for part in parts), ordered(found))


def without(written: Written, cuts: Sequence[Cut]) -> Written:
    """Return a text without these ranges, which are disjoint and in order."""
    pieces: list[str] = []
    places: list[int] = []
    at = size = 0
    for cut in cuts:
        pieces += (written.text[at : cut.start], cut.between)
        size += cut.start - at
        places.append(size)
        size += len(cut.between)
        at = cut.end
    text = "".join((*pieces, written.text[at:]))
    starts = [cut.start for cut in cuts]

    def moved(index: int, *, is_end: bool) -> int:
        number = bisect_right(starts, index) - 1
        if number < 0:
            return index
        cut = cuts[number]
        if index < cut.end:
            return places[number] + (0 if is_end else len(cut.between))
        return places[number] + len(cut.between) + index - cut.end

    found = (
        replace(entity, start=moved(entity.start, is_end=False), end=moved(entity.end, is_end=True))
        for entity in written.entities
    )
    return Written(text, ordered(entity for entity in found if entity.start < entity.end))


def ordered(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Return entities in the order of their starts, the longer first."""
    return tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end)))


def _within(entities: Iterable[Entity], start: int, end: int) -> Iterable[Entity]:
    for entity in entities:
        low, high = max(entity.start, start), min(entity.end, end)
        if low < high:
            yield replace(entity, start=low - start, end=high - start)
