"""Groups the blocks of a document into rich messages within Telegram's limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tgllm.bot.rendering.document import Block
from tgllm.bot.rendering.rich import rich_blocks
from tgllm.bot.rendering.split import is_visible, utf16_length

__all__ = ["Group", "has_text", "packed"]

MOST_UNITS = 30_000
"""Most UTF-16 units of text and URLs in a message; Telegram accepts 32768 characters, without saying which count."""
MOST_BLOCKS = 480
"""Most blocks, list items and table rows in a message; Telegram accepts 500."""

_TEXTS = frozenset({"text", "summary", "expression", "blocks", "items", "cells"})


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks that share messages."""

    blocks: tuple[Block, ...]
    is_rich: bool
    """Whether they fit one rich message; otherwise the group is one block that is too large and is sent as text."""


@dataclass(frozen=True, slots=True)
class _Size:
    units: int = 0
    blocks: int = 0

    def __add__(self, other: "_Size") -> "_Size":
        return _Size(self.units + other.units, self.blocks + other.blocks)

    @property
    def fits(self) -> bool:
        return self.units <= MOST_UNITS and self.blocks <= MOST_BLOCKS


def packed(blocks: Iterable[Block]) -> list[Group]:
    """Return the blocks in groups, in order, each as large as the limits allow."""
    groups: list[Group] = []
    gathered: list[Block] = []
    total = _Size()
    for block in blocks:
        size = _sum(rich_blocks([block]))
        if gathered and not (total + size).fits:
            groups.append(Group(tuple(gathered), is_rich=True))
            gathered, total = [], _Size()
        if size.fits:
            gathered.append(block)
            total += size
        else:
            groups.append(Group((block,), is_rich=False))
    if gathered:
        groups.append(Group(tuple(gathered), is_rich=True))
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


def _sum(values: Sequence[object]) -> _Size:
    return sum(map(_size, values), _Size())


def _size(value: object) -> _Size:
    if isinstance(value, str):
        return _Size(utf16_length(value))
    if isinstance(value, list):
        return _sum(cast("list[object]", value))
    if not isinstance(value, dict):
        return _Size()
    node = cast("dict[str, Any]", value)
    rows: list[object] = node.get("cells") or []
    own = _Size(0, int("type" in node or "blocks" in node) + len(rows))
    return _sum([content for name, content in node.items() if name not in {"type", "align", "valign"}]) + own
