"""Cutting of a document's text into passages of a few hundred tokens, at its own boundaries."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from tgllm.db.engine.full_text import CHARACTER_SCRIPTS
from tgllm.db.tables.passages import Passage
from tgllm.providers.tokens import estimate_text
from tgllm.services.files.search.text_lines import (
    Heading,
    PartMark,
    fence_of,
    heading_of,
    is_separator,
    is_table_row,
    part_mark,
)

__all__ = ["cut_passages"]

TARGET: Final = 800
"""Weight of a passage, in characters of an alphabet: about 240 tokens."""
MOST: Final = 1_200
LEAST: Final = 300
"""A passage is rarely cut to less than this."""
MOST_REPEATED: Final = 1_000
"""Characters of a table header that is repeated."""
MOST_HEADINGS: Final = 2_000

_LINE: Final = re.compile(r"[^\n]*+\n?(?:[ \t\r]*+\n)*+")
"""A line with the empty lines after it."""
_WIDE_WEIGHT: Final = 3
"""Weight of a character of a script whose characters are about a token each."""
_SENTENCE: Final = re.compile(r"[.!?…]+[\"'»”’)\]]*\s+|[。！？；]+[」』”’）]*|\n+")  # noqa: RUF001  the characters of these scripts
_SPACE: Final = re.compile(r"\s+|[,;，、]\s*")  # noqa: RUF001  the characters of these scripts

_PIECE, _LINE_END, _ROW, _PARAGRAPH, _HEADING, _PAGE, _PART = range(7)
"""Boundaries, the best ones last."""


@dataclass(frozen=True, slots=True)
class _Atom:
    """A line, or a piece of a long one, and what it stands under."""

    start: int
    end: int
    weight: int
    boundary: int
    part: str
    above: str
    """Headings that it stands under."""
    heading: str
    """Its own title, if it is a heading."""
    line: int
    row: int
    opening: str
    closing: str


def cut_passages(text: str) -> list[Passage]:
    """Cut a text with part marks (see ``tgllm.api.files.Extracted``) into passages; their texts joined are the text.

    Takes time in proportion to the text, seconds for millions of characters: call it in a thread.
    """
    passages: list[Passage] = []
    waiting: list[_Atom] = []
    weight = 0
    for atom in _Reader(text).atoms():
        while waiting and (count := _cut_before(atom, waiting, weight)):
            passages.append(_passage(text, waiting[:count]))
            del waiting[:count]
            weight = sum(waited.weight for waited in waiting)
        waiting.append(atom)
        weight += atom.weight
    if waiting:
        passages.append(_passage(text, waiting))
    return passages


def _cut_before(atom: _Atom, waiting: Sequence[_Atom], weight: int) -> int:
    """Return how many of the atoms that wait become a passage before the next atom is added; 0 if none do."""
    whole = (
        (atom.boundary == _PART and weight >= LEAST // 2)
        or (atom.boundary >= _HEADING and weight >= TARGET * 2 // 3)
        or (atom.boundary >= _PARAGRAPH and weight >= TARGET)
    )
    if whole:
        return len(waiting)
    if weight + atom.weight <= MOST:
        return 0
    best, rank, passed = len(waiting), -1, 0
    for index, after in enumerate((*waiting[1:], atom), 1):
        passed += waiting[index - 1].weight
        if passed >= LEAST and after.boundary >= rank:
            best, rank = index, after.boundary
    return best


def _passage(text: str, atoms: Sequence[_Atom]) -> Passage:
    first, last = atoms[0], atoms[-1]
    rows = [atom.row for atom in atoms if atom.row]
    content = text[first.start : last.end]
    return Passage(
        text=content,
        # What precedes the first mark, such as the title of a PDF, belongs to no part.
        part_from=next((atom.part for atom in atoms if atom.part), ""),
        part_to=last.part,
        heading=first.above,
        headings="\n".join(atom.heading for atom in atoms if atom.heading)[:MOST_HEADINGS],
        line_from=first.line,
        line_to=last.line,
        row_from=min(rows, default=0),
        row_to=max(rows, default=0),
        tokens=estimate_text(content),
        opening=first.opening,
        closing=last.closing,
    )


class _Reader:
    """Reads the lines of a text in order, and follows parts, headings, tables and fences."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._file = self._inner = ""
        self._headings: list[Heading] = []
        self._above = ""
        self._fence = self._fence_line = ""
        self._table = ""
        """Header of the table, with the line below it."""
        self._row = 0
        self._line = 1
        self._is_after_gap = True
        self._is_part_start = True
        self._ended = True
        """Whether the line before ends a sentence."""

    def atoms(self) -> Iterator[_Atom]:
        """Yield the lines; one that is longer than a passage in pieces."""
        for found in _LINE.finditer(self._text):
            if found.end() > found.start():
                yield from self._line_atoms(found.start(), found[0])

    def _line_atoms(self, start: int, whole: str) -> Iterator[_Atom]:
        line, _, gap = whole.partition("\n")
        mark = part_mark(line)
        if mark is not None:
            self._begin_part(mark)
        heading = None if mark or self._fence or line.startswith("|") else heading_of(line)
        opening, row = self._opening(line)
        boundary, above, number = self._boundary(line, mark, heading), self._above, self._line
        self._follow(line, mark, heading)
        part = ", ".join(filter(None, (self._file, self._inner)))
        closing = self._fence
        title = heading.title if heading else ""
        weight = _weight(whole)
        if weight <= MOST:
            yield _Atom(start, start + len(whole), weight, boundary, part, above, title, number, row, opening, closing)
        else:
            for begin, end, rank in _pieces(whole):
                is_first = begin == 0
                yield _Atom(
                    start + begin,
                    start + end,
                    _weight(whole[begin:end]),
                    boundary if is_first else rank,
                    part,
                    above,
                    title if is_first else "",
                    number,
                    row,
                    opening,
                    closing,
                )
        is_counted = not (mark or (self._is_part_start and self._fence_line))
        self._line += is_counted + gap.count("\n")
        self._is_part_start = mark is not None
        self._is_after_gap = bool(gap) or mark is not None
        self._ended = line.rstrip().endswith((".", "!", "?", ":", "…", "。", "！", "？"))  # noqa: RUF001  the characters of these scripts

    def _begin_part(self, mark: PartMark) -> None:
        label = f"{mark.kind} {mark.name}"
        if mark.kind == "file":
            self._file, self._inner = label, ""
        else:
            self._inner = label
        if mark.kind in {"file", "sheet"}:
            self._headings, self._above = [], ""
            self._line = 1
        # A page that shows half of a fence must not make code of all the others.
        self._fence = self._fence_line = ""

    def _opening(self, line: str) -> tuple[str, int]:
        """Return what is to be repeated before the line if a passage begins with it, and its row in a table."""
        if self._fence:
            return self._fence_line, 0
        if not is_table_row(line) or self._is_after_gap:
            self._table, self._row = "", 0
        if not is_table_row(line):
            return "", 0
        if self._row == 1 and is_separator(line):
            self._table = self._table + line + "\n" if len(self._table) <= MOST_REPEATED else ""
            return "", 1
        self._row += 1
        if self._row == 1:
            self._table = line + "\n"
            return "", 1
        return self._table if is_separator(self._table.rstrip("\n").rpartition("\n")[2]) else "", self._row

    def _boundary(self, line: str, mark: PartMark | None, heading: Heading | None) -> int:
        if mark is not None:
            return _PART if mark.kind in {"file", "sheet"} else _PAGE
        if heading is not None and not self._is_part_start:
            return _HEADING
        if self._is_part_start:
            # A mark stays with its part.
            return _PIECE
        if self._is_after_gap:
            return _ROW if self._fence else _PARAGRAPH
        if self._row or self._ended or line.startswith(("- ", "* ", "• ")):
            return _ROW
        return _LINE_END

    def _follow(self, line: str, mark: PartMark | None, heading: Heading | None) -> None:
        """Remember what the next lines stand under."""
        if heading is not None:
            self._headings = [*[outer for outer in self._headings if outer.level < heading.level][-3:], heading]
            self._above = " > ".join(outer.title[:80] for outer in self._headings)
        fence = None if mark else fence_of(line)
        if fence is None:
            return
        marks, info = fence
        if not self._fence:
            self._fence, self._fence_line = marks, f"{line.rstrip()}\n"
        elif marks.startswith(self._fence) and not info:
            self._fence = self._fence_line = ""


@cache
def _wide() -> re.Pattern[str]:
    return re.compile(f"[{CHARACTER_SCRIPTS}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def _weight(text: str) -> int:
    return len(text) if text.isascii() else len(text) + (_WIDE_WEIGHT - 1) * len(_wide().findall(text))


def _pieces(line: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and boundary of the pieces of a long line, cut after sentences or at least between words."""
    start, boundary = 0, _PIECE
    while start < len(line):
        window = line[start : start + TARGET]
        # As many characters as have the weight of a passage.
        most = max(TARGET * len(window) // max(_weight(window), 1), 1)
        end, after = len(line), _PIECE
        if len(line) - start > most:
            end, after = _cut_in(line, start, min(start + most, len(line)))
        yield start, end, boundary
        start, boundary = end, after


def _cut_in(line: str, start: int, end: int) -> tuple[int, int]:
    """Return where to cut a line before ``end``, and the boundary there."""
    low = start + (end - start) // 2
    for pattern, boundary in ((_SENTENCE, _LINE_END), (_SPACE, _PIECE)):
        ends = [found.end() for found in pattern.finditer(line, low, end)]
        if ends:
            return ends[-1], boundary
    return end, _PIECE
