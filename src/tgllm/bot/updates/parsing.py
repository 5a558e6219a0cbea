"""Makes stored updates into aiogram's objects."""

import json
from typing import Any, Final, cast

from aiogram import Bot
from aiogram.types import Update
from pydantic import ValidationError

from tgllm.bot.updates.completing import complete
from tgllm.bot.updates.formats.entities import is_readable
from tgllm.bot.updates.rich_text import without_rich_messages

__all__ = ["parse_update"]

_ENTITIES: Final = frozenset({"entities", "caption_entities"})

MOST_ROUNDS: Final = 4
"""Most times that an update is completed; each time, what was missing inside the added or removed parts turns up."""

Json = dict[str, Any]


def parse_update(payload: str, bot: Bot) -> Update:
    """Return the update of a stored payload, with rich messages as text and without unreadable entities.

    Raises:
        Exception: aiogram can't parse it; its models run code of their own, which may fail in any way.
    """
    raw = without_rich_messages(json.loads(payload))
    _drop_unreadable(raw)
    for _ in range(MOST_ROUNDS):
        try:
            return _validated(raw, bot)
        except ValidationError as error:
            if not complete(raw, error.errors(include_url=False, include_context=False)):
                raise
    return _validated(raw, bot)


def _validated(raw: Json, bot: Bot) -> Update:
    """Return the update; one whose only content is null raises here and not in a handler."""
    update = Update.model_validate(raw, context={"bot": bot})
    _ = update.event_type
    return update


def _drop_unreadable(update: Json) -> None:
    """Remove, in place, the entities that aiogram refuses: no text is lost for the sake of a format."""
    waiting: list[object] = [update]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(cast("list[object]", value))
        elif isinstance(value, dict):
            node = cast("Json", value)
            for name in _ENTITIES & node.keys():
                items = cast("list[object]", node[name]) if isinstance(node[name], list) else []
                node[name] = [_with_whole_user(cast("Json", item)) for item in items if is_readable(item)]
            waiting.extend(node.values())


def _with_whole_user(entity: Json) -> Json:
    """Return an entity whose user has the fields that aiogram requires; only the id matters."""
    user = entity.get("user")
    return entity if user is None else {**entity, "user": {"is_bot": False, "first_name": "", **user}}
