"""Mentions of users by a name of the sender's choice. Source: Bot API, MessageEntity, text_mention."""

from typing import Any, cast

from tgllm.testing.emulator.markup.text import Text
from tgllm.testing.emulator.world.wire import user_json
from tgllm.testing.emulator.world.world import World

__all__ = ["with_mentions"]


def with_mentions(world: World, content: Text) -> Text:
    """Resolve text mentions by user id; mentions of unknown ids are removed."""
    if not any(entity["type"] == "text_mention" for entity in content.entities):
        return content
    resolved = (_mention(world, e) if e["type"] == "text_mention" else e for e in content.entities)
    return Text(content.text, tuple(entity for entity in resolved if entity is not None))


def _mention(world: World, entity: dict[str, Any]) -> dict[str, Any] | None:
    user = entity.get("user")
    number = cast("dict[str, Any]", user).get("id") if isinstance(user, dict) else None
    account = world.accounts.get(number) if isinstance(number, int) else None
    return None if account is None else {**entity, "user": user_json(account)}
