"""Holds back the unfinished parts of tables in an answer that is still being written.

The first line of a table is a line of text until the line below it is complete, and a row has missing cells until its
line is complete. A preview that shows them shows bars and dashes, and a table that changes its shape.
"""

import re

from tgllm.bot.rendering.source.code import FENCE

__all__ = ["without_half_table"]

MOST_HELD = 160
"""Most characters of a line that are held back when it doesn't begin with a bar: it is rather text with a bar in it."""

_FENCE_LINE = re.compile(rf"^{FENCE}")
_DELIMITER_ROW = re.compile(r"^[ \t>*+\-\d.)]*+[|:\-][|:\- \t]*+")
_PART_OF_DELIMITER_ROW = re.compile(r"^[ \t>]*+[|:\- \t]*+")
_OTHER_BLOCK = re.compile(r"^[ \t>]*+(?:[-*+][ \t]|#{1,6}[ \t]|\d{1,9}[.)][ \t]|[`~]{3})")
_ESCAPE_CODE_OR_BAR = re.compile(r"\\.|`++|\|{2}|\|")
_BEFORE_FIRST_CELL = re.compile(r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?\Z")


def without_half_table(prefix: str) -> str:
    """Return the beginning of an answer without the part of a table at its end that isn't complete.

    Complete are the first two lines of a table together, and each line after them. The end must not be in a code block.
    """
    lines = prefix.rpartition("\n\n")[2].split("\n")
    last = lines[-1]
    if _ends_in_table(lines[:-1]):
        return prefix if _OTHER_BLOCK.match(last) else prefix[: len(prefix) - len(last)]
    header, place = last, None
    if len(lines) > 1 and _PART_OF_DELIMITER_ROW.fullmatch(last):
        header = f"{lines[-2]}\n{last}"
        place = _first_bar(lines[-2])
    if place is None:
        header, place = last, _first_bar(last)
    return prefix if place is None else prefix[: len(prefix) - len(header) + place]


def _ends_in_table(lines: list[str]) -> bool:
    """Return whether a line after these complete lines is a row of a table."""
    is_table = False
    before = ""
    for line in lines:
        if not line.strip(" \t>") or _FENCE_LINE.match(line):
            is_table = False
        elif "|" in before and _DELIMITER_ROW.fullmatch(line) and "-" in line:
            is_table = True
        before = line
    return is_table


def _first_bar(line: str) -> int | None:
    """Return where the first line of a table may begin in a line; None if it is text."""
    place = 0
    while found := _ESCAPE_CODE_OR_BAR.search(line, place):
        place = found.end()
        mark = found.group()
        if mark == "|":
            begins = _BEFORE_FIRST_CELL.match(line[: found.start()])
            is_held = begins is not None or len(line) - found.start() <= MOST_HELD
            return found.start() if is_held else None
        if mark.startswith("`"):
            place = line.find(mark, place)
            if place < 0:
                return None
            place += len(mark)
    return None
