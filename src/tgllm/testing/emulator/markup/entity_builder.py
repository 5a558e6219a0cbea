"""Builder of a plain text and its entities, for markup parsers."""

from dataclasses import dataclass, field
from typing import Any

from tgllm.testing.emulator.markup.text import utf16_len

__all__ = ["EntityBuilder", "OpenEntity"]


@dataclass(slots=True)
class OpenEntity:
    """An entity without its end.

    ``mark`` is its start mark, at byte ``begin`` of the source; ``offset`` is in UTF-16 units, ``part`` is the number
    of text parts before it.
    """

    mark: str
    begin: int
    offset: int
    part: int
    entity: dict[str, Any]


@dataclass(slots=True)
class EntityBuilder:
    """The text so far and its entities; ``offset`` is in UTF-16 units."""

    parts: list[str] = field(default_factory=list[str])
    offset: int = 0
    entities: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stack: list[OpenEntity] = field(default_factory=list[OpenEntity])

    def add(self, text: str) -> None:
        """Append plain text."""
        self.parts.append(text)
        self.offset += utf16_len(text)

    def open(self, mark: str, begin: int = 0, **entity: object) -> None:
        """Start an entity."""
        self.stack.append(OpenEntity(mark, begin, self.offset, len(self.parts), entity))

    @property
    def innermost(self) -> str | None:
        """Mark of the innermost open entity, or None."""
        return self.stack[-1].mark if self.stack else None

    def text_since(self, opened: OpenEntity) -> str:
        """Return the text so far of an open entity."""
        return "".join(self.parts[opened.part :])

    def close(self) -> None:
        """End the innermost entity; it is dropped if it is empty or has no type."""
        last = self.stack.pop()
        entity = {**last.entity, "offset": last.offset, "length": self.offset - last.offset}
        if entity["length"] > 0 and entity.get("type"):
            self.entities.append(entity)

    def result(self) -> tuple[str, list[dict[str, Any]]]:
        """Return the text and the entities, outer ones first."""
        ordered = sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))
        return "".join(self.parts), ordered
