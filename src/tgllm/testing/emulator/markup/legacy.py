"""Parser of parse_mode Markdown, the legacy mode. Source: Bot API, "Markdown style"; error descriptions: TDLib."""

import re
from typing import Any

from tgllm.testing.emulator.markup.entity_builder import EntityBuilder
from tgllm.testing.emulator.markup.link_entities import link_entity
from tgllm.testing.emulator.markup.text import byte_offset
from tgllm.testing.emulator.protocol.errors import broken_markup

__all__ = ["parse_markdown"]

_TYPES = {"*": "bold", "_": "italic", "`": "code", "```": "pre"}
_MARK = re.compile(r"\\(?P<escaped>[_*`\[])|(?P<mark>```|[_*`\[])")
_LANGUAGE = re.compile(r"([^\s`]+)\n")
_ADDRESS = re.compile(r"\(([^)]*)\)?")


def parse_markdown(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the plain text and its entities, which can't be nested. Raises BotApiError 400 for an unclosed entity."""
    builder, at = EntityBuilder(), 0
    while found := _MARK.search(text, at):
        builder.add(text[at : found.start()])
        if found["escaped"]:
            builder.add(found["escaped"])
            at = found.end()
        else:
            at = _entity(builder, text, found)
    builder.add(text[at:])
    return builder.result()


def _entity(builder: EntityBuilder, text: str, found: re.Match[str]) -> int:
    """Add the entity of a mark, and return the index after it."""
    mark, start = found["mark"], found.end()
    closing = "]" if mark == "[" else mark
    end = text.find(closing, start)
    if end < 0:
        begin = byte_offset(text, found.start())
        raise broken_markup(f"Can't find end of the entity starting at byte offset {begin}")
    inside, after = text[start:end], end + len(closing)
    entity: dict[str, Any] = {"type": _TYPES.get(mark)}
    if mark == "[":
        address = _ADDRESS.match(text, after)
        entity, after = link_entity(address[1] if address else ""), address.end() if address else after
    elif mark == "```" and (named := _LANGUAGE.match(inside)):
        entity["language"], inside = named[1], inside[named.end() :]
    builder.open(mark, **entity)
    builder.add(inside)
    builder.close()
    return after
