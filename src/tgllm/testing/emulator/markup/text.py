"""Text with entities as Telegram stores it: trimmed, within bounds, properly nested, at most 100."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = [
    "MAX_CAPTION",
    "MAX_ENTITIES",
    "MAX_QUOTE",
    "MAX_TEXT",
    "Text",
    "byte_offset",
    "slice_utf16",
    "tidy",
    "utf16_len",
]

# Bot API: sendMessage, sendPhoto and "Formatting options"; in UTF-16 units.
MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_QUOTE = 1024
# Telegram drops all further entities of a message.
MAX_ENTITIES = 100

Entity = dict[str, Any]
_BARE = frozenset({"code", "pre"})


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its entities (Bot API: MessageEntity; offsets and lengths in UTF-16 units)."""

    text: str = ""
    entities: tuple[Entity, ...] = ()


def utf16_len(text: str) -> int:
    """Return the length in UTF-16 units, as counted by Telegram."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def byte_offset(text: str, at: int) -> int:
    """Return the offset of a character in bytes of UTF-8, as in Telegram's errors."""
    return len(text[:at].encode())


def slice_utf16(text: str, offset: int, length: int) -> str:
    """Return the part of ``length`` UTF-16 units that starts at ``offset``."""
    if text.isascii():
        return text[offset : offset + length]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


def tidy(text: str, entities: Sequence[Entity] = ()) -> Text:
    """Check the entities, trim the text, and adjust the entities to that.

    Raises BotApiError 400 for an entity that exceeds the text or splits a surrogate pair.
    """
    if entities:
        _check_bounds(text, entities)
    left = utf16_len(text) - utf16_len(text.lstrip())
    trimmed = text.strip()
    if not entities:
        return Text(trimmed)
    length = utf16_len(trimmed)
    moved = [_clipped(entity, left, length) for entity in entities]
    nested = _nested([entity for entity in moved if entity["length"] > 0])
    return Text(trimmed, tuple(nested[:MAX_ENTITIES]))


def _check_bounds(text: str, entities: Sequence[Entity]) -> None:
    length = utf16_len(text)
    inside = _inside_pairs(text)
    for entity in entities:
        start, end = int(entity["offset"]), int(entity["offset"]) + int(entity["length"])
        name = f"entity beginning at UTF-16 offset {start}"
        if start > length:
            words = f"entity begins after the end of the text at UTF-16 offset {start}"
        elif end > length:
            words = f"{name} ends after the end of the text at UTF-16 offset {end}"
        elif start in inside:
            words = f"entity begins in a middle of a UTF-16 symbol at byte offset {inside[start]}"
        elif end in inside:
            words = f"{name} ends in a middle of a UTF-16 symbol at byte offset {inside[end]}"
        else:
            continue
        raise bad_request(words)


def _inside_pairs(text: str) -> dict[int, int]:
    """Return the UTF-16 offsets within surrogate pairs, each with the byte offset after the pair."""
    inside: dict[int, int] = {}
    if text.isascii():
        return inside
    units = size = 0
    for char in text:
        width = 2 if ord(char) > 0xFFFF else 1
        size += len(char.encode("utf-8", "surrogatepass"))
        if width > 1:
            inside[units + 1] = size
        units += width
    return inside


def _clipped(entity: Entity, left: int, length: int) -> Entity:
    start = min(max(int(entity["offset"]) - left, 0), length)
    end = min(max(int(entity["offset"]) + int(entity["length"]) - left, 0), length)
    return {**entity, "offset": start, "length": end - start}


def _nested(entities: list[Entity]) -> list[Entity]:
    """Split entities that overlap partially; drop those inside of code and pre."""
    waiting = sorted(entities, key=lambda e: (e["offset"], -e["length"]))
    done: list[Entity] = []
    open_ones: list[Entity] = []
    while waiting:
        entity = waiting.pop(0)
        while open_ones and _end(open_ones[-1]) <= entity["offset"]:
            open_ones.pop()
        if any(outer["type"] in _BARE for outer in open_ones):
            entity = _after(entity, _end(open_ones[-1]))
        elif open_ones and _end(entity) > _end(open_ones[-1]):
            rest = _after(entity, _end(open_ones[-1]))
            entity = {**entity, "length": rest["offset"] - entity["offset"]}
            _insert(waiting, rest)
        else:
            open_ones.append(entity)
            done.append(entity)
            continue
        if entity["length"] > 0:
            _insert(waiting, entity)
    return done


def _end(entity: Entity) -> int:
    return int(entity["offset"]) + int(entity["length"])


def _after(entity: Entity, offset: int) -> Entity:
    return {**entity, "offset": offset, "length": max(0, _end(entity) - offset)}


def _insert(waiting: list[Entity], entity: Entity) -> None:
    waiting.append(entity)
    waiting.sort(key=lambda e: (e["offset"], -e["length"]))
