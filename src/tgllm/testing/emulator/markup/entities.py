"""Entities in requests of bots. Source: Bot API, MessageEntity; error descriptions: Bot API server, TDLib."""

from functools import cache
from typing import Any, cast

from tgllm.testing.emulator.markup.links import is_link
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["read_entities"]

# Automatic entities: Telegram detects them itself and ignores those in requests.
_FOUND = frozenset({"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"})
_NEEDED = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id", "date_time": "unix_time"}


def read_entities(raw: object) -> list[dict[str, Any]]:
    """Return the entities in Bot API form. Raises BotApiError 400 for invalid ones."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    checked: list[dict[str, Any]] = []
    for item in cast("list[object]", raw):
        if not isinstance(item, dict):
            raise bad_request("can't parse entities: MessageEntity must be an Object")
        entity = cast("dict[str, Any]", item)
        _check_numbers(entity)
        if _check_kind(entity) not in _FOUND:
            checked.append(entity)
    return checked


def _check_numbers(entity: dict[str, Any]) -> None:
    for name in ("offset", "length"):
        value = entity.get(name)
        if not isinstance(value, int):
            raise bad_request(f'can\'t parse MessageEntity: field "{name}" must be a Number')
        if value < 0:
            raise bad_request(f'can\'t parse MessageEntity: field "{name}" must be non-negative')


def _check_kind(entity: dict[str, Any]) -> str:
    kind = entity.get("type")
    if not isinstance(kind, str):
        raise bad_request('can\'t parse MessageEntity: field "type" must be of type String')
    if kind not in _kinds():
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    needed = _NEEDED.get(kind)
    if needed is not None and not entity.get(needed):
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    if kind == "text_link" and not is_link(str(entity["url"])):
        raise bad_request(f"entity URL '{entity['url']}' is invalid: Wrong HTTP URL")
    return kind


@cache
def _kinds() -> frozenset[str]:
    """Return all known entity types, from aiogram."""
    from aiogram.enums import MessageEntityType  # noqa: PLC0415 - costs seconds of CPU, so only when a request arrives

    return _FOUND | {kind.value for kind in MessageEntityType}
