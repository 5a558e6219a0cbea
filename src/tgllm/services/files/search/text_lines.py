"""Lines of a document's text: part marks, headings, tables and fences of code."""

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Heading", "PartMark", "fence_of", "heading_of", "is_separator", "is_table_row", "part_mark"]

PartKind = Literal["page", "slide", "sheet", "file"]

_MARK: Final = re.compile(r"\[(page|slide|sheet|file) ([^\n]{1,200})\]")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)")
_SEPARATOR: Final = re.compile(r"\|[\s:|-]*-[\s:|-]*")
_HASHES: Final = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t#]*")
_CONTENTS: Final = re.compile(r".*(?:\.{3,}|…|\s{2,}|\t|(?:\. ){3,})\s*\d{1,4}", re.DOTALL)
"""Line of a table of contents: a title and a page number."""
_NUMBERED: Final = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,3})\.?[ \t]+[^\W\d_].*")
_NUMBER: Final = r"[ \t.:№#]*(?:\d{1,4}(?:\.\d{1,3})*|[ivxlc]{1,7}|[^\W\d_]{2,12})\b"
_TITLED: Final = re.compile(
    r"(?:(?P<outer>part|book|часть|книга|teil|buch|partie|livre|parte|libro|livro|część|частина)"
    r"|(?P<middle>chapter|appendix|annex|глава|приложение|розділ|додаток|kapitel|anhang|chapitre|annexe|capítulo"
    r"|apéndice|capitolo|appendice|rozdział|załącznik|hoofdstuk|bölüm)"
    r"|(?P<inner>section|article|раздел|статья|пункт|abschnitt|artikel|section|sección|artículo|sezione|articolo|§))"
    + _NUMBER
    + r"(?:[ \t.:—–-].*)?",  # noqa: RUF001  the characters of these scripts
    re.IGNORECASE,
)
_TITLED_FIRST: Final = re.compile(
    r"第[ 0-9\uff10-\uff19\u3007零一二三四五六七八九十百千两]{1,8}(?P<unit>[部编編卷篇]|[章回课課講讲]|[节節条條款])"
    r"(?:[ \u3000:\uff1a、.\t].*|.{0,30})"
    r"|제 ?\d{1,4} ?(?P<korean>[부편]|장|[절조])(?:[ .:].*)?"
)
_MOST_TITLE: Final = 100
"""Characters of a line that may be a heading without a mark of its own."""
_LEVELS: Final = {"outer": 1, "middle": 2, "inner": 3}


@dataclass(frozen=True, slots=True)
class PartMark:
    """Line that begins a part of a file."""

    kind: PartKind
    name: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and its depth; smaller numbers are outer ones."""

    level: int
    title: str


def part_mark(line: str) -> PartMark | None:
    """Return the part that a line begins, if any."""
    if not line.startswith("["):
        return None
    found = _MARK.fullmatch(line.strip())
    if found is None:
        return None
    kind: PartKind = found[1]  # type: ignore[assignment]  one of the alternatives of the pattern
    return PartMark(kind, found[2].strip())


def fence_of(line: str) -> tuple[str, str] | None:
    """Return the characters of a fence of code and what follows them, such as a language; None for another line."""
    if "```" not in line and "~~~" not in line:
        return None
    found = _FENCE.fullmatch(line.rstrip())
    return None if found is None else (found[1], found[2].strip())


def is_table_row(line: str) -> bool:
    """Return whether a line is a row of a Markdown table."""
    return line.startswith("|") and line.count("|") > 1


def is_separator(line: str) -> bool:
    """Return whether a row of a table is the line below its header."""
    return _SEPARATOR.fullmatch(line.rstrip()) is not None


def heading_of(line: str) -> Heading | None:
    """Return the heading in a line: marked by ``#``, numbered, or named as a chapter in one of several languages.

    Lines of a table of contents are none.
    """
    if line.startswith("#"):
        found = _HASHES.fullmatch(line.rstrip())
        return None if found is None else Heading(len(found[1]), found[2])
    title = line.strip()
    if not 1 < len(title) <= _MOST_TITLE:
        return None
    heading = _plain_heading(title)
    return None if heading is None or _CONTENTS.fullmatch(title) else heading


def _plain_heading(title: str) -> Heading | None:
    if title[0].isdigit():
        found = _NUMBERED.fullmatch(title) if title[-1] not in ".,;:" else None
        return Heading(2 + found[1].count("."), title) if found else None
    if title[0] in "第제":
        found = _TITLED_FIRST.fullmatch(title)
        if found is None:
            return None
        unit = found["unit"] or found["korean"]
        return Heading(1 if unit in "部编編卷篇부편" else 3 if unit in "节節條条款절조" else 2, title)
    found = _TITLED.fullmatch(title)
    if found is None or _is_sentence(title):
        return None
    return Heading(_LEVELS[found.lastgroup or "middle"], title)


def _is_sentence(title: str) -> bool:
    """Return whether a line that begins like a heading is a sentence, such as "Part of the work was done."."""
    return title[-1] in ".,;" and len(title.split()) > 3
