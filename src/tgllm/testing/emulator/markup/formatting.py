"""Conversion of a method's text parameters to a checked text with entities."""

from typing import Any

from tgllm.testing.emulator.markup.cleaning import clean
from tgllm.testing.emulator.markup.detect import detect
from tgllm.testing.emulator.markup.entities import read_entities
from tgllm.testing.emulator.markup.parse_mode import parse_markup
from tgllm.testing.emulator.markup.text import Text, tidy, utf16_len
from tgllm.testing.emulator.protocol.errors import bad_request

__all__ = ["format_text"]

# Bot API server: maximum size of its input, including markup.
MAX_SOURCE_BYTES = 32_768


def format_text(text: str, parse_mode: str | None, entities: object, limit: int, too_long: str) -> Text:
    """Return the text as Telegram stores it.

    ``limit`` is in UTF-16 units after entity parsing. With a ``parse_mode``, ``entities`` are ignored.
    Raises BotApiError 400 with ``too_long`` above the limit, and for invalid entities or markup.
    """
    if len(text.encode()) > MAX_SOURCE_BYTES:
        raise bad_request("text is too long")
    if parse_mode and parse_mode.lower() != "none":
        text, parsed = parse_markup(text, parse_mode)
        checked: list[dict[str, Any]] = parsed
    else:
        checked = read_entities(entities)
    text, checked = clean(text, checked)
    if utf16_len(text.strip()) > limit:
        raise bad_request(too_long)
    return detect(tidy(text, checked))
