"""Tables as monospaced text."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tgllm.bot.rendering.document import Align

__all__ = ["MOST_WIDTH", "aligned_table", "is_much_longer", "plain_table"]

MOST_WIDTH = 60
"""Most character columns that a screen shows without wrapping lines."""

_MOST_GROWTH = 4
_GROWTH_FROM = 4000


def is_much_longer(length: int, rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a form of the table is so much longer than its cells that it would flood the chat.

    Args:
        length: characters of that form.
        rows: the cells.
    """
    return length > _GROWTH_FROM and length > _MOST_GROWTH * sum(len(cell) + 1 for row in rows for cell in row)


def aligned_table(
    rows: Sequence[Sequence[str]], aligns: Sequence[Align], most_width: int | None = MOST_WIDTH
) -> str | None:
    """Return the table as text, with the first row as its header; None if it is too wide or mostly padding.

    Args:
        rows: cells without line breaks; all rows of the same length.
        aligns: one for each column.
        most_width: most character columns; None: any number.
    """
    widths = [[*map(_width, row)] for row in rows]
    columns = [*map(max, zip(*widths, strict=True))]
    width = sum(columns) + 3 * (len(columns) - 1)
    if (most_width is not None and width > most_width) or is_much_longer(width * len(rows), rows):
        return None
    lines = [
        " | ".join(
            [
                _padded(cell, column - width, align)
                for cell, width, column, align in zip(row, row_widths, columns, aligns, strict=True)
            ]
        ).rstrip()
        for row, row_widths in zip(rows, widths, strict=True)
    ]
    lines.insert(1, "-+-".join(["-" * column for column in columns]))
    return "\n".join(lines)


def plain_table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as lines, with a bar between cells and without padding."""
    return "\n".join([" | ".join(row).rstrip() for row in rows])


def _width(text: str) -> int:
    """Return the width in character columns; wide letters and emoji take two. Unicode: UAX #11."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


@lru_cache(4096)
def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _padded(text: str, room: int, align: Align) -> str:
    if align == "left":
        return text + " " * room
    before = room if align == "right" else room // 2
    return " " * before + text + " " * (room - before)
