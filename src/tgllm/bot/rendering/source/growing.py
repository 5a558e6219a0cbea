"""Completes the Markdown of an answer that is still being written, for previews."""

import re

from tgllm.bot.rendering.emphasis.characters import NODE
from tgllm.bot.rendering.emphasis.hidden import hidden
from tgllm.bot.rendering.emphasis.matching import open_emphasis
from tgllm.bot.rendering.source.code import FENCE, fence_end
from tgllm.bot.rendering.source.growing_tables import without_half_table

__all__ = ["open_marks", "settled"]

_FENCE_LINE = re.compile(rf"^{FENCE}", re.MULTILINE)
_HALF_TAG = re.compile(r"</?(?:[A-Za-z][A-Za-z0-9-]{0,12}+(?:\s[^<>\n]{0,200}+)?+/?)?\Z")
_HALF_KIND = re.compile(r"\[![A-Za-z]{0,20}+\Z")
_HALF_LINK = re.compile(r"!?\[(?![!^])([^\[\]\n]*+)(?:\](?:\([^()\s]*+)?)?\Z")
_TICKS = re.compile(r"\\.|`++", re.DOTALL)
_HALF_LINE = re.compile(r"[ \t]*+(?:[-=+*_~]++|[-*+][ \t]++\[[ xX]?)")


def settled(prefix: str) -> str:
    """Return the prefix with the unfinished markup of its last paragraph closed or left out, except for emphasis.

    This may guess wrong: the finished answer is parsed again.
    """
    end = _end_of_code(prefix)
    if end is None:
        return prefix
    head, separator, last = without_half_table(prefix[end:]).rstrip().rpartition("\n\n")
    last = _HALF_TAG.sub("", _HALF_KIND.sub("", _without_half_mark(last)))
    last = _HALF_LINK.sub(r"\1", last)
    return prefix[:end] + head + separator + last + _without_code(last)[1]


def _end_of_code(prefix: str) -> int | None:
    """Return the end of the last code block, 0 if there is none; None if it is not closed."""
    place: int | None = 0
    while place is not None and (found := _FENCE_LINE.search(prefix, place)):
        place = fence_end(prefix, found["fence"], found.end())
    return place


def _without_half_mark(paragraph: str) -> str:
    """Return the paragraph without backticks at its end that may open code, or a line that may become a marker."""
    lines, newline, line = paragraph.rpartition("\n")
    if _HALF_LINE.fullmatch(line) and (newline or line[-1] in "*_~"):
        return lines
    return paragraph.rstrip("`")


def open_marks(paragraph: str) -> list[str]:
    """Return the marks of the emphasis and code that a paragraph leaves open, outermost first."""
    text, ticks = _without_code(paragraph)
    return [*open_emphasis(hidden(text)), *([ticks] if ticks else [])]


def _without_code(paragraph: str) -> tuple[str, str]:
    """Return the paragraph with its code replaced by nodes, and the backticks of code that it leaves open."""
    pieces: list[str] = []
    done = 0
    ticks = ""
    for found in _TICKS.finditer(paragraph):
        mark = found.group()
        if mark.startswith("\\"):
            continue
        if not ticks:
            pieces.append(paragraph[done : found.start()])
            ticks = mark
        elif mark == ticks:
            pieces.append(NODE)
            ticks = ""
            done = found.end()
    if not ticks:
        pieces.append(paragraph[done:])
    return "".join(pieces), ticks
