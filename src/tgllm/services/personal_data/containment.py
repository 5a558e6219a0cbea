"""Texts of people and models inside a Markdown document: none of them can add headings, hide others or contain HTML.

Ordinary text stays as it is. A text with headings of its own, or with a code fence that it may leave open, becomes a
block quote, in which it ends for every Markdown parser (CommonMark: block quotes).
"""

import re
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tgllm.observe.visible import visible
from tgllm.services.common.text import one_line

__all__ = ["contained", "inline"]

_SILENT: Final = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff]")
"""Invisible characters that legitimate texts contain, and that mean nothing to a reader."""
_SPECIAL: Final = re.compile(r"[\\`*<>&\[\]~|$]|(?<![^\W_])_|_(?![^\W_])")
"""Characters with a meaning inside of a line. CommonMark: inlines; GFM: strikethrough and tables."""
_HTML: Final = re.compile(r"<(?=[A-Za-z/!?])")
_MARKERS = r"[ \t>*+.)\d-]*"
"""What may stand before a heading: indentation, and the markers of lists and quotes."""
_HEADING: Final = re.compile(rf"{_MARKERS}#{{1,6}}(?:[ \t]|$)")
_UNDERLINE: Final = re.compile(r"[ \t>*+.)\d=-]*[=-][ \t]*")
_FENCE: Final = re.compile(r"(`{3,}|~{3,})(.*)")
_OTHER_FENCE: Final = re.compile(r"^(?:[ \t]+|.*[>*+.)-][ \t]*)(?:```|~~~)")
"""A fence that may belong to a list or a quote, or be part of a line."""
_TICKS: Final = re.compile(r"`+")


def inline(text: str, limit: int) -> str:
    """Return a text on one line of at most ``limit`` UTF-16 units, in which nothing is Markdown."""
    return _SPECIAL.sub(r"\\\g<0>", one_line(text, limit))


def contained(text: str) -> str:
    """Return a Markdown text that can't affect the document around it; control characters become visible escapes."""
    lines = visible(_SILENT.sub("", text)).replace("\\r\n", "\n").split("\n")
    fenced = _fenced(lines)
    # Without a certain end of each fence, no line is certain to be code, and HTML is escaped in all of them.
    code = fenced or [False] * len(lines)
    prose = ["" if is_code else line for line, is_code in zip(lines, code, strict=True)]
    # A backtick that is left over on one line may belong to another one.
    has_spans = all(_code_spans(line) is not None for line in prose)
    shown = [
        line if is_code else _without_html(line, has_spans=has_spans) for line, is_code in zip(lines, code, strict=True)
    ]
    if fenced is not None and not _has_heading(prose):
        return "\n".join(shown)
    return "\n".join(f"> {line}".rstrip() for line in shown)


def _has_heading(lines: Sequence[str]) -> bool:
    before = ("", *lines)
    return any(
        _HEADING.match(line) or (above.strip() and _UNDERLINE.fullmatch(line))
        for above, line in zip(before, lines, strict=False)
    )


def _fenced(lines: Sequence[str]) -> list[bool] | None:
    """Return which lines belong to fenced code; None if a fence is open at the end, or not certainly one."""
    code: list[bool] = []
    end: re.Pattern[str] | None = None
    for line in lines:
        opening = _FENCE.match(line)
        if end is not None:
            code.append(True)
            end = None if end.fullmatch(line) else end
        elif opening is not None and "`" not in opening[2]:
            code.append(True)
            end = re.compile(rf" {{0,3}}{opening[1]}{opening[1][0]}*[ \t]*")
        elif opening is not None or _OTHER_FENCE.match(line):
            return None
        else:
            code.append(False)
    return code if end is None else None


def _without_html(line: str, *, has_spans: bool) -> str:
    """Escape what may be a tag, except in code spans; ``has_spans``: whether all of them begin and end in a line."""
    if not _HTML.search(line):
        return line
    spans = (_code_spans(line) if has_spans else None) or []
    edges = [0, *(edge for span in spans for edge in span), len(line)]
    pieces = [line[begin:end] for begin, end in pairwise(edges)]
    return "".join(piece if number % 2 else _HTML.sub("&lt;", piece) for number, piece in enumerate(pieces))


def _code_spans(line: str) -> list[tuple[int, int]] | None:
    """Return the code spans of a line; None if a backtick is left over, is escaped, or may be in a table."""
    if "`" in line and ("|" in line or "\\`" in line):
        return None
    runs = deque(found.span() for found in _TICKS.finditer(line))
    spans: list[tuple[int, int]] = []
    while runs:
        begin, first = runs.popleft()
        length = first - begin
        while runs and runs[0][1] - runs[0][0] != length:
            runs.popleft()
        if not runs:
            return None
        spans.append((begin, runs.popleft()[1]))
    return spans
