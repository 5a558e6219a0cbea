"""Converts rich messages in updates to text before aiogram parses them.

aiogram 3.31 tries every kind of rich text at every level: five nested formats take 7 seconds to parse, and each further
level 15 times longer. Any user could block the bot with one message.
"""

from collections.abc import Iterator
from typing import Any, cast

__all__ = ["without_rich_messages"]

_TEXTS = ("label", "summary", "text", "expression", "alternative_text", "caption", "credit")
_BLOCKS = ("blocks", "items", "cells")

Json = dict[str, Any]


def without_rich_messages(update: Json) -> Json:
    """Replace every rich message in the update, in place, by its text, and return the update. Bot API: RichMessage."""
    waiting: list[object] = [update]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(cast("list[object]", value))
        elif isinstance(value, dict):
            node = cast("Json", value)
            if "rich_message" in node:
                node.setdefault("text", _plain_text(node.pop("rich_message")))
            waiting.extend(node.values())
    return update


def _plain_text(rich: object) -> str:
    """Return the visible text, each block on its own line; without recursion, since the depth is unbounded."""
    pieces: list[str] = []
    waiting: list[object] = [rich]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            pieces.append(value)
        elif isinstance(value, list):
            waiting.extend(reversed(cast("list[object]", value)))
        elif isinstance(value, dict):
            waiting.extend(reversed(list(_parts(cast("Json", value)))))
    lines = (line.strip() for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _parts(node: Json) -> Iterator[object]:
    for name in _TEXTS:
        if name in node:
            yield node[name]
            yield " " if name == "label" else "\n" if name == "summary" else ""
    for name in _BLOCKS:
        blocks = node.get(name)
        for block in cast("list[object]", blocks) if isinstance(blocks, list) else ():
            yield from _cells(cast("list[object]", block)) if isinstance(block, list) else (block,)
            yield "\n"


def _cells(row: list[object]) -> Iterator[object]:
    for cell in row:
        yield cell
        yield " "
