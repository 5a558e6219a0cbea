"""Collects plain text and the entities over it while markup is being read."""

from dataclasses import dataclass, field
from typing import Any

from tgllm.testing.emulator.text import utf16_len

__all__ = ["EntityBuilder"]


@dataclass(slots=True)
class _Open:
    """An entity whose end has not come; ``mark`` is what opened it."""

    mark: str
    offset: int
    entity: dict[str, Any]


@dataclass(slots=True)
class EntityBuilder:
    """Text so far and its entities; ``offset`` is in UTF-16 units."""

    parts: list[str] = field(default_factory=list[str])
    offset: int = 0
    entities: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stack: list[_Open] = field(default_factory=list[_Open])

    def add(self, text: str) -> None:
        """Append plain text."""
        self.parts.append(text)
        self.offset += utf16_len(text)

    def open(self, mark: str, **entity: str) -> None:
        """Begin an entity here."""
        self.stack.append(_Open(mark, self.offset, entity))

    @property
    def innermost(self) -> str | None:
        """The mark of the entity that was begun last and has not ended."""
        return self.stack[-1].mark if self.stack else None

    def close(self) -> dict[str, Any]:
        """End the innermost entity here; an empty one, or one without a type, is left out."""
        last = self.stack.pop()
        entity = {**last.entity, "offset": last.offset, "length": self.offset - last.offset}
        if entity["length"] > 0 and entity.get("type"):
            self.entities.append(entity)
        return entity

    def result(self) -> tuple[str, list[dict[str, Any]]]:
        """The text and the entities, outer ones first."""
        ordered = sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))
        return "".join(self.parts), ordered
