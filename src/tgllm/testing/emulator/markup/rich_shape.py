"""Validation of an InputRichMessage with aiogram's models."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["check_shape"]

# Fields with RichText in blocks, cells and captions. The caption of a media block is an object of two RichTexts.
_TEXTS = frozenset({"text", "summary", "caption", "credit"})
Json = dict[str, Any]


def check_shape(source: Json) -> None:
    """Raise BotApiError 400 for unknown kinds of blocks and texts, missing fields, and fields of another type."""
    from aiogram.types import InputRichMessage  # noqa: PLC0415 - costs seconds of CPU

    try:
        InputRichMessage.model_validate(_outline(source))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise bad_request(f"can't parse rich message: {place}: {first['msg']}") from None


def _outline(value: object) -> object:
    """Replace texts by empty ones, because aiogram's models take exponential time for nested texts."""
    if isinstance(value, list):
        return [_outline(part) for part in cast("list[object]", value)]
    if isinstance(value, dict):
        return {name: _outline_of(name, inner) for name, inner in cast("Json", value).items()}
    return value


def _outline_of(name: str, value: object) -> object:
    if name not in _TEXTS:
        return _outline(value)
    fields = cast("Json", value) if name == "caption" and isinstance(value, dict) else None
    if fields is None or "type" in fields:
        return _flat(cast("object", value))
    return {inner: _flat(text) for inner, text in fields.items()}


def _flat(text: object) -> object:
    """Replace a valid text by an empty one, and an invalid text by its invalid part without nested texts."""
    if isinstance(text, list):
        wrong = (part for part in map(_flat, cast("list[object]", text)) if part != "")
        return next(wrong, "")
    if isinstance(text, dict):
        node = cast("Json", text)
        needed = _kinds().get(str(node.get("type")))
        if needed is None or any(name not in node for name in needed):
            return {"type": node.get("type")}
        return _flat(node.get("text", ""))
    return "" if isinstance(text, str) else text


@cache
def _kinds() -> Mapping[str, tuple[str, ...]]:
    """Return the kinds of RichText with their required fields."""
    from aiogram import types  # noqa: PLC0415 - costs seconds of CPU
    from aiogram.enums import RichTextType  # noqa: PLC0415 - costs seconds of CPU

    found: dict[str, tuple[str, ...]] = {}
    for kind in RichTextType:
        model: type[BaseModel] = getattr(types, "RichText" + "".join(map(str.title, kind.value.split("_"))))
        found[kind.value] = tuple(name for name, field in model.model_fields.items() if field.is_required())
    return found
