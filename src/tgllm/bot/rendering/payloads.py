"""Message contents, text with entities or a rich message, and their fallbacks if Telegram rejects them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tgllm.services.chats.settings import RichMode

__all__ = ["ENTITIES_LIMIT", "Entity", "EntityText", "EntityType", "Payload", "RichMessage", "RichMode"]

ENTITIES_LIMIT = 100
"""Most entities of a message; Telegram drops the rest."""

EntityType = Literal[
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "code",
    "pre",
    "text_link",
    "blockquote",
    "expandable_blockquote",
]


@dataclass(frozen=True, slots=True)
class Entity:
    """A formatted range of a text. Bot API: MessageEntity."""

    type: EntityType
    offset: int
    """Start in UTF-16 units."""
    length: int
    """In UTF-16 units."""
    url: str | None = None
    """Of a ``text_link``."""
    language: str | None = None
    """Of a ``pre``."""

    def as_parameter(self) -> dict[str, Any]:
        """Return the entity as a Bot API object."""
        entity: dict[str, Any] = {"type": self.type, "offset": self.offset, "length": self.length}
        if self.url is not None:
            entity["url"] = self.url
        if self.language:
            entity["language"] = self.language
        return entity


@dataclass(frozen=True, slots=True)
class EntityText:
    """A message's text: at most 4096 UTF-16 units and 100 entities, with visible text."""

    text: str
    entities: tuple[Entity, ...] = ()

    def as_parameters(self) -> dict[str, Any]:
        """Return the parameters of sendMessage and editMessageText. Bot API: sendMessage."""
        parameters: dict[str, Any] = {"text": self.text}
        if self.entities:
            parameters["entities"] = [entity.as_parameter() for entity in self.entities]
        return parameters

    def degraded(self) -> "tuple[Payload, ...]":
        """Return the same text without formatting; empty if it has none."""
        return (EntityText(self.text),) if self.entities else ()


@dataclass(frozen=True, slots=True)
class RichMessage:
    """A rich message: at most 32768 characters, 500 blocks, 16 levels, 20 columns. Bot API: InputRichMessage."""

    blocks: Sequence[Mapping[str, Any]]
    fallback: tuple[EntityText, ...] = field(repr=False)
    """The same content as texts with entities."""

    def as_parameters(self) -> dict[str, Any]:
        """Return the parameters of sendRichMessage and editMessageText.

        Telegram's detection of mentions, hashtags and commands is off; links are in the blocks already.
        """
        return {"rich_message": {"blocks": list(self.blocks), "skip_entity_detection": True}}

    def degraded(self) -> "tuple[Payload, ...]":
        """Return the same content as texts with entities."""
        return self.fallback


Payload: TypeAlias = EntityText | RichMessage
