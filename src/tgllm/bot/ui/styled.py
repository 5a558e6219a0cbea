"""Texts with formatted parts, built piece by piece."""

from typing import Self

from tgllm.bot.rendering.payloads import Entity, EntityText, EntityType
from tgllm.bot.rendering.split import utf16_length
from tgllm.services.common.text import without_controls

__all__ = ["StyledText"]


class StyledText:
    """A text that grows, with its entities."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._entities: list[Entity] = []
        self._length = 0

    def add(self, text: str, style: EntityType | None = None, *, url: str | None = None) -> Self:
        """Add a piece, without its invisible characters; ``url`` makes it a link."""
        clean = without_controls(text)
        length = utf16_length(clean)
        if clean and url is not None:
            self._entities.append(Entity("text_link", self._length, length, url=url))
        elif clean and style is not None:
            self._entities.append(Entity(style, self._length, length))
        self._pieces.append(clean)
        self._length += length
        return self

    def text(self) -> EntityText:
        """Return the text with its entities; it may be too long for one message."""
        return EntityText("".join(self._pieces), tuple(self._entities))
