"""Tables as monospaced text."""

import unicodedata
from collections.abc import Sequence

from tgllm.bot.rendering.document import Align

__all__ = ["MOST_WIDTH", "aligned_table", "table_width"]

MOST_WIDTH = 60
"""Most character columns that a screen shows without wrapping lines."""


def table_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the width of the table in character columns."""
    return sum(_widths(rows)) + 3 * (len(rows[0]) - 1)


def aligned_table(rows: Sequence[Sequence[str]], aligns: Sequence[Align]) -> str:
    """Return the table as text, with the first row as its header.

    Args:
        rows: cells without line breaks; all rows of the same length.
        aligns: one for each column.
    """
    widths = _widths(rows)
    lines = [
        " | ".join(_padded(cell, width, align) for cell, width, align in zip(row, widths, aligns, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join(lines)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_width, column)) for column in zip(*rows, strict=True)]


def _width(text: str) -> int:
    """Return the width in character columns; wide letters and emoji take two. Unicode: UAX #11."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _padded(text: str, width: int, align: Align) -> str:
    room = width - _width(text)
    before = room if align == "right" else room // 2 if align == "center" else 0
    return " " * before + text + " " * (room - before)
