"""What can be sent: text with entities, or a rich message; and what to send instead if Telegram refuses it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tgllm.services.chats.settings import RichMode

__all__ = ["ENTITIES_LIMIT", "Entity", "EntityText", "EntityType", "Payload", "RichMessage", "RichMode"]

ENTITIES_LIMIT = 100
"""Entities of a message at most; Telegram drops the rest."""

EntityType = Literal[
    "bold", "italic", "strikethrough", "code", "pre", "text_link", "blockquote", "expandable_blockquote"
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
        """The entity in the Bot API's form."""
        entity: dict[str, Any] = {"type": self.type, "offset": self.offset, "length": self.length}
        if self.url is not None:
            entity["url"] = self.url
        if self.language:
            entity["language"] = self.language
        return entity


@dataclass(frozen=True, slots=True)
class EntityText:
    """A message's text: at most 4096 UTF-16 units, 100 entities, and something to see in it."""

    text: str
    entities: tuple[Entity, ...] = ()

    def as_parameters(self) -> dict[str, Any]:
        """The parameters of sendMessage and editMessageText. Bot API: sendMessage."""
        parameters: dict[str, Any] = {"text": self.text}
        if self.entities:
            parameters["entities"] = [entity.as_parameter() for entity in self.entities]
        return parameters

    def degraded(self) -> "tuple[Payload, ...]":
        """The same text without its formatting; nothing if it has none."""
        return (EntityText(self.text),) if self.entities else ()


@dataclass(frozen=True, slots=True)
class RichMessage:
    """A rich message: at most 32768 characters, 500 blocks, 16 levels, 20 columns. Bot API: InputRichMessage."""

    blocks: Sequence[Mapping[str, Any]]
    fallback: tuple[EntityText, ...] = field(repr=False)
    """The same content as texts with entities."""

    def as_parameters(self) -> dict[str, Any]:
        """The parameters of sendRichMessage and editMessageText.

        Telegram finds no mentions, hashtags and commands in it by itself; links are in the blocks already.
        """
        return {"rich_message": {"blocks": list(self.blocks), "skip_entity_detection": True}}

    def degraded(self) -> "tuple[Payload, ...]":
        """The same content as texts with entities."""
        return self.fallback


Payload: TypeAlias = EntityText | RichMessage
