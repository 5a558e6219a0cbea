"""Completes the Markdown of an answer that is still being written, for previews."""

import re

from tgllm.bot.rendering.source.code import FENCE, fence_end
from tgllm.bot.rendering.source.growing_tables import without_half_table

__all__ = ["open_marks", "settled"]

_FENCE_LINE = re.compile(rf"^{FENCE}", re.MULTILINE)
_HALF_LINK = re.compile(r"!?\[([^\[\]\n]*+)(?:\](?:\([^()\s]*+)?)?\Z")
_MARKS = re.compile(r"\\.|`++|\*\*|~~", re.DOTALL)
_HALF_LINE = re.compile(r"[ \t]*+(?:[-=+]++|[-*+][ \t]++\[[ xX]?)")


def settled(prefix: str) -> str:
    """Return the prefix with the unfinished markup of its last paragraph closed or left out.

    This may guess wrong: the finished answer is parsed again.
    """
    if _is_in_fence(prefix):
        return prefix
    head, separator, last = without_half_table(prefix).rstrip().rpartition("\n\n")
    last = _without_half_mark(last)
    last = _HALF_LINK.sub(r"\1", last)
    return head + separator + last + "".join(reversed(open_marks(last)))


def _is_in_fence(prefix: str) -> bool:
    place: int | None = 0
    while place is not None and (found := _FENCE_LINE.search(prefix, place)):
        place = fence_end(prefix, found["fence"], found.end())
    return place is None


def _without_half_mark(paragraph: str) -> str:
    """Return the paragraph without marks at its end that may open something, or a line that may become a marker."""
    lines, newline, line = paragraph.rpartition("\n")
    if newline and _HALF_LINE.fullmatch(line):
        return lines
    return paragraph.rstrip(paragraph[-1]) if paragraph.endswith(("*", "_", "~", "`")) else paragraph


def open_marks(paragraph: str) -> list[str]:
    """Return the marks of the markup that a paragraph leaves open, outermost first."""
    marks: list[str] = []
    for found in _MARKS.finditer(paragraph):
        mark = found.group()
        if mark in marks:
            del marks[marks.index(mark) :]
        elif not mark.startswith("\\") and not (marks and marks[-1].startswith("`")):
            marks.append(mark)
    return marks
