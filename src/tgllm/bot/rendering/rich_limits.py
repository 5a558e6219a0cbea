"""Groups the blocks of a document into rich messages within Telegram's limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from tgllm.bot.rendering.document import Block
from tgllm.bot.rendering.rich import RichBlock, rich_blocks
from tgllm.bot.rendering.split import is_visible, utf16_length

__all__ = ["Group", "has_text", "packed"]

MOST_UNITS = 30_000
"""Most UTF-16 units of text and URLs in a message; Telegram accepts 32768 characters, without saying which count."""
MOST_BLOCKS = 480
"""Most blocks, list items and table rows in a message; Telegram accepts 500."""

_NAMES = frozenset({"type", "align", "valign"})
_TEXTS = frozenset({"text", "summary", "expression", "blocks", "items", "cells"})


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks that share messages."""

    blocks: tuple[Block, ...]
    rich: tuple[RichBlock, ...]
    """The blocks as those of one rich message; empty for a single block that is too large and is sent as text."""


def packed(blocks: Iterable[Block]) -> list[Group]:
    """Return the blocks in groups, in order, each as large as the limits allow."""
    groups: list[Group] = []
    gathered: list[Block] = []
    rich: list[RichBlock] = []
    units = count = 0
    for block in blocks:
        made = rich_blocks([block])
        more_units, more_count = _size(made)
        fits = more_units <= MOST_UNITS and more_count <= MOST_BLOCKS
        if gathered and not (fits and units + more_units <= MOST_UNITS and count + more_count <= MOST_BLOCKS):
            groups.append(Group(tuple(gathered), tuple(rich)))
            gathered, rich = [], []
            units = count = 0
        if fits:
            gathered.append(block)
            rich += made
            units += more_units
            count += more_count
        else:
            groups.append(Group((block,), ()))
    if gathered:
        groups.append(Group(tuple(gathered), tuple(rich)))
    return groups


def has_text(value: object) -> bool:
    """Return whether blocks have visible text: Telegram treats a message of nothing but dividers as empty."""
    if isinstance(value, str):
        return is_visible(value)
    if isinstance(value, list):
        return any(map(has_text, cast("list[object]", value)))
    if not isinstance(value, dict):
        return False
    return any(has_text(content) for name, content in cast("dict[str, Any]", value).items() if name in _TEXTS)


def _size(value: object) -> tuple[int, int]:
    """Return the UTF-16 units and the blocks."""
    if isinstance(value, str):
        return utf16_length(value), 0
    units = count = 0
    contents: Iterable[object] = ()
    if isinstance(value, list):
        contents = cast("list[object]", value)
    elif isinstance(value, dict):
        node = cast("dict[str, Any]", value)
        count = int("type" in node or "blocks" in node) + len(node.get("cells") or ())
        contents = [content for name, content in node.items() if name not in _NAMES]
    for content in contents:
        more_units, more_count = _size(content)
        units += more_units
        count += more_count
    return units, count
