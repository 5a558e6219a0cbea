"""Finds code in Markdown source without parsing it, so that what is written as code stays unchanged."""

import re
from collections.abc import Callable

__all__ = ["FENCE", "fence_end", "outside_code", "replaced"]

FENCE = r"[ \t>*+\-\d.)]*+(?P<fence>`{3,}+(?![^`\n]*+`)|~{3,}+)"
"""Pattern of the start of a line that opens a code block."""
_FENCE_END = re.compile(r"\n[ \t>]*+([`~]{3,}+)[ \t]*+(?![^\n])")
_TICKS_OR_BLANK_LINE = re.compile(r"`++|\n[ \t]*+\n")


def outside_code(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern for ``replaced``; it is compiled with MULTILINE, and needs groups with names."""
    return re.compile(rf"^{FENCE}|(?P<ticks>`++)|{pattern}", re.MULTILINE | flags)


def replaced(text: str, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], tuple[str, int] | None]) -> str:
    """Return the text with the matches outside code replaced, in linear time.

    Args:
        text: Markdown.
        pattern: made by ``outside_code``.
        replace: returns the replacement and the end of what it replaces; None to keep the match.
    """
    pieces: list[str] = []
    done = place = 0
    spans: dict[int, int] | None = None
    while found := pattern.search(text, place):
        place = found.end()
        if (fence := found["fence"]) is not None:
            end = fence_end(text, fence, place)
            place = len(text) if end is None else end
        elif found["ticks"] is not None:
            spans = _code_spans(text) if spans is None else spans
            place = spans.get(found.start(), place)
        elif (new := replace(found)) is not None:
            pieces += text[done : found.start()], new[0]
            done = place = new[1]
    return "".join(pieces) + text[done:] if pieces else text


def fence_end(text: str, fence: str, place: int) -> int | None:
    """Return the end of a code block whose opening fence ends at ``place`` or before; None if it is not closed."""
    while found := _FENCE_END.search(text, place):
        if found[1].startswith(fence):
            return found.end()
        place = found.end()
    return None


def _code_spans(text: str) -> dict[int, int]:
    """Return the ends of all runs of backticks that have a closing run of the same length in their paragraph."""
    ends: dict[int, int] = {}
    opened: dict[int, int] = {}
    for found in _TICKS_OR_BLANK_LINE.finditer(text):
        start, end = found.span()
        if text[start] == "\n":
            opened.clear()
            continue
        if (before := opened.get(end - start)) is not None:
            ends[before] = end
        opened[end - start] = start
    return ends
