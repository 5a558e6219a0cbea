"""Completes the Markdown of an answer that is still being written, for previews."""

import re

__all__ = ["settled"]

_FENCE_LINE = re.compile(r"^[ \t>]*+(`{3,}+|~{3,}+)", re.MULTILINE)
_HALF_LINK = re.compile(r"!?\[([^\[\]\n]*+)(?:\](?:\([^()\s]*+)?)?\Z")
_MARKS = re.compile(r"\\.|`++|\*\*|~~", re.DOTALL)
_HALF_LINE = re.compile(r"[ \t]*+(?:[-=+]++|[-*+][ \t]++\[[ xX]?)")


def settled(prefix: str) -> str:
    """Return the prefix with the unfinished markup of its last paragraph closed or left out.

    This may guess wrong: the finished answer is parsed again.
    """
    if _is_in_fence(prefix):
        return prefix
    head, separator, last = prefix.rstrip().rpartition("\n\n")
    last = _without_half_mark(last)
    last = _HALF_LINK.sub(r"\1", last)
    return head + separator + last + _closing(last)


def _is_in_fence(prefix: str) -> bool:
    fence = ""
    for found in _FENCE_LINE.finditer(prefix):
        if not fence:
            fence = found[1]
        elif found[1].startswith(fence):
            fence = ""
    return bool(fence)


def _without_half_mark(paragraph: str) -> str:
    """Return the paragraph without marks at its end that may open something, or a line that may become a marker."""
    lines, newline, line = paragraph.rpartition("\n")
    if newline and _HALF_LINE.fullmatch(line):
        return lines
    return paragraph.rstrip(paragraph[-1]) if paragraph.endswith(("*", "_", "~", "`")) else paragraph


def _closing(paragraph: str) -> str:
    """Return the marks that close the open markup."""
    open_marks: list[str] = []
    for found in _MARKS.finditer(paragraph):
        mark = found.group()
        if mark in open_marks:
            del open_marks[open_marks.index(mark) :]
        elif not mark.startswith("\\") and not (open_marks and open_marks[-1].startswith("`")):
            open_marks.append(mark)
    return "".join(reversed(open_marks))
