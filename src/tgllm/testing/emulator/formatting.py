"""From the text parameters of a method to a checked text with entities."""

from typing import Any, cast

from tgllm.testing.emulator.detect import detect
from tgllm.testing.emulator.errors import bad_request
from tgllm.testing.emulator.markup import parse_markup
from tgllm.testing.emulator.text import Text, tidy, utf16_len

__all__ = ["format_text"]


def format_text(text: str, parse_mode: str | None, entities: object, limit: int, too_long: str) -> Text:
    """The text as Telegram would keep it.

    ``limit`` is in UTF-16 units after the entities were parsed. Raises BotApiError 400 with
    ``too_long`` above it, and for entities or markup that cannot be parsed.
    """
    if entities is None and parse_mode:
        text, parsed = parse_markup(text, parse_mode)
        checked: list[dict[str, Any]] = parsed
    else:
        checked = _entities(entities)
    if utf16_len(text.strip()) > limit:
        raise bad_request(too_long)
    return detect(tidy(text, checked))


def _entities(raw: object) -> list[dict[str, Any]]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    checked: list[dict[str, Any]] = []
    for item in cast("list[object]", raw):
        if not isinstance(item, dict):
            raise bad_request("can't parse entities: MessageEntity must be an Object")
        checked.append(_entity(cast("dict[str, Any]", item)))
    return checked


def _entity(entity: dict[str, Any]) -> dict[str, Any]:
    for name in ("offset", "length"):
        value = entity.get(name)
        if not isinstance(value, int):
            raise bad_request(f'can\'t parse MessageEntity: field "{name}" must be a Number')
        if value < 0:
            raise bad_request(f'can\'t parse MessageEntity: field "{name}" must be non-negative')
    if not isinstance(entity.get("type"), str):
        raise bad_request('can\'t parse MessageEntity: field "type" must be of type String')
    return entity
