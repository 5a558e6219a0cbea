"""End of a growing answer: a preview shows no more, so nothing before it has to be kept, parsed or rendered."""

import re
from dataclasses import dataclass

from tgllm.bot.rendering.source.code import FENCE, fence_end
from tgllm.bot.rendering.source.growing import open_formula, open_marks

__all__ = ["Tail", "tail_of"]

KEPT = 6000
"""Least characters that are kept; a message shows 4096."""
MOST_KEPT = 2 * KEPT
_KEPT_WHILE_ADDING = 4 * KEPT
_MOST_INDENT = 24
_INDENT_OF_CODE = 3
"""Most spaces before the fence of a code block that is in no list."""
_MOST_LOOKED_AT = _KEPT_WHILE_ADDING
"""Characters at the ends of a paragraph in which a table and open markup are looked for."""

# Most begin with a newline, which the regular expression engine finds fastest; a tail that is cut begins with one.
_OPENING = re.compile(rf"\n(?:{FENCE}|[ \t>*+\-\d.)]*+<(?P<details>/?details)\b)", re.IGNORECASE)
_DETAILS_END = re.compile(r"</details", re.IGNORECASE)
_BLOCK = re.compile(r"\n[ \t]*+\n(?=\S)")
_MARKED_LINE = re.compile(r"\n(?=[-*+][ \t]|#{1,6}[ \t]|>|\d{1,9}[.)][ \t])")
_DELIMITER_ROW = re.compile(r"\n(?P<header>[^\n]*+)\n(?P<row>[ \t>*+\-\d.):|]++)(?![^\n])")
_INDENT = re.compile(r"\n( {2,24}+)")


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a place in the source stands in."""

    fence: str = ""
    """Line that opened the code block; empty outside of code."""
    details: int = 0
    """How many details are open."""

    def opening(self) -> str:
        """Return Markdown that opens the same details and code."""
        details = "\n<details><summary>…</summary>\n" if self.details else ""
        return details + ("\n" + _outdented(self.fence) if self.fence else "")


class Tail:
    """Markdown of a growing answer, without text that is too far from its end to be shown.

    Adding text and reading the result take time for what is new, not for the whole answer.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._is_cut = False

    @property
    def is_cut(self) -> bool:
        """Whether text has been left out before the tail."""
        return self._is_cut

    @property
    def markdown(self) -> str:
        """The tail; what it stands in, such as a code block, is opened at its start."""
        self._shorten()
        return self._pieces[0]

    def add(self, text: str) -> None:
        """Add text at the end."""
        self._pieces.append(text)
        self._length += len(text)
        if self._length > _KEPT_WHILE_ADDING:
            self._shorten()

    def _shorten(self) -> None:
        text, is_cut = tail_of("".join(self._pieces))
        self._is_cut |= is_cut
        self._pieces = [text]
        self._length = len(text)


def tail_of(markdown: str) -> tuple[str, bool]:
    """Return the end of an answer as Markdown that shows the same, and whether text was left out before it."""
    if len(markdown) <= MOST_KEPT:
        return markdown, False
    text = "\n" + markdown[:-1].replace("\r\n", "\n").replace("\r", "\n") + markdown[-1:]
    if text[-KEPT:].isspace():
        # What follows blank lines is a new block, however many they are.
        text = text.rstrip() + "\n\n"
    if len(text) <= MOST_KEPT:
        return text, False
    place, is_block = _best_start(text, len(text) - MOST_KEPT, len(text) - KEPT)
    around = _surroundings(text, place)
    if around.fence:
        return around.opening() + "\n" + text[place:].removeprefix("\n"), True
    return around.opening() + (text[place:] if is_block else _continued(text, place)), True


def _best_start(text: str, lowest: int, highest: int) -> tuple[int, bool]:
    """Return the place between two others at which a tail may begin, and whether a block begins there."""
    for pattern in (_BLOCK, _MARKED_LINE):
        places = [found.end() - 1 for found in pattern.finditer(text, lowest, highest)]
        if places:
            return places[-1], True
    line = text.rfind("\n", lowest, highest)
    space = text.rfind(" ", lowest, highest) if line < 0 else line
    return (highest if space < 0 else space), False


def _surroundings(text: str, end: int) -> _Surroundings:
    details = place = 0
    while found := _OPENING.search(text, place, end):
        line_end = text.find("\n", found.end())
        place = len(text) if line_end < 0 else line_end
        if (fence := found["fence"]) is not None:
            closed = fence_end(text, fence, place)
            if closed is None or closed > end:
                return _Surroundings(fence=text[found.start() + 1 : place], details=details)
            place = closed
        elif found["details"].startswith("/"):
            details = max(details - 1, 0)
        elif _DETAILS_END.search(text, found.end(), place) is None:
            details += 1
    return _Surroundings(details=details)


def _continued(text: str, place: int) -> str:
    """Return the text from a place inside a block, with what opens the same block before it."""
    start = text.rfind("\n\n", 0, place) + 1
    paragraph = text[max(start, place - _MOST_LOOKED_AT) : place]
    rest = text[place:]
    if "|" in rest.partition("\n")[0] or "|" in rest[1:].partition("\n")[0]:
        rows = [*_DELIMITER_ROW.finditer(text[start : min(place, start + _MOST_LOOKED_AT)])]
        table = next((row for row in reversed(rows) if "|" in row["row"] and "-" in row["row"]), None)
        if table is not None:
            return "\n" + table["header"] + "\n" + table["row"] + "\n" + rest.lstrip("\n")
    if found := _INDENT.match(rest):
        return "\n" + "- " * (len(found[1]) // 2) + "…" + rest
    return "\n" + (open_formula(paragraph)[0] or "".join(open_marks(paragraph))) + rest.lstrip("\n ")


def _outdented(fence: str) -> str:
    """Return the line of a fence; one that is indented as if it stood in lists stands in lists of its own."""
    line = fence.expandtabs(4)
    bare = line.lstrip(" ")
    indent = min(len(line) - len(bare), _MOST_INDENT)
    return line if indent <= _INDENT_OF_CODE else "- " * (indent // 2) + bare
