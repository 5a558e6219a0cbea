"""Finds code in Markdown source without parsing it, so that what is written as code stays unchanged."""

import re
from collections.abc import Callable

__all__ = ["outside_code", "replaced"]

_CODE = r"^[ \t>*+\-\d.)]*+(?P<fence>`{3,}+(?![^`\n]*+`)|~{3,}+)|(?P<ticks>`++)"
_FENCE_END = re.compile(r"^[ \t>]*+([`~]{3,}+)[ \t]*+$", re.MULTILINE)
_TICKS_OR_BLANK_LINE = re.compile(r"`++|\n[ \t]*+\n")


def outside_code(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern for ``replaced``; it is compiled with MULTILINE, and needs groups with names."""
    return re.compile(rf"{_CODE}|{pattern}", re.MULTILINE | flags)


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
            place = _fence_end(text, fence, place)
        elif found["ticks"] is not None:
            spans = _code_spans(text) if spans is None else spans
            place = spans.get(found.start(), place)
        elif (new := replace(found)) is not None:
            pieces += text[done : found.start()], new[0]
            done = place = new[1]
    return "".join(pieces) + text[done:] if pieces else text


def _fence_end(text: str, fence: str, place: int) -> int:
    """Return the end of a code block whose fence ends at ``place``; that of the text if it is not closed."""
    line = text.find("\n", place)
    while line >= 0 and (found := _FENCE_END.search(text, line)):
        if found[1].startswith(fence):
            return found.end()
        line = text.find("\n", found.end())
    return len(text)


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
