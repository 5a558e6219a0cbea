"""Cells of xlsx files that python-calamine does not tell apart: percentages and errors; and the area of a sheet."""

import re
import zipfile
from collections.abc import Iterator
from typing import Final, NamedTuple

from tgllm.plugins.builtin.files.shared.archives import read_member
from tgllm.plugins.builtin.files.shared.xml import local_name, parse_xml

__all__ = ["Marks", "marks_of_sheets"]

_CELL = re.compile(rb'<(?:\w+:)?c [^>]{0,200}?\br="([A-Z]{1,3})(\d{1,7})"([^>]*)>')
_STYLE = re.compile(rb'\bs="(\d+)"')
_ERROR = re.compile(rb"\s*(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v>(#[^<]{1,20})</")
_PERCENT_FORMATS: Final = {9, 10}
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 4096
_MOST: Final = 200_000
"""Cells that are marked in a sheet."""
_QUOTED = re.compile(r'"[^"]*"|\\.')

Place = tuple[int, int]
"""Row and column, from 0."""


class Marks(NamedTuple):
    """What is known of the cells of a sheet."""

    percent: set[Place]
    errors: dict[Place, str]
    rows: int
    columns: int


def marks_of_sheets(archive: zipfile.ZipFile) -> dict[str, Marks]:
    """Return the marks of each sheet, by its name."""
    styles = _percent_styles(read_member(archive, "xl/styles.xml") or b"")
    members = set(archive.namelist())
    return {name: _marks(archive, part, styles) for name, part in _sheets(archive) if part in members}


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield name and part of each sheet."""
    workbook, relations = read_member(archive, "xl/workbook.xml"), read_member(archive, "xl/_rels/workbook.xml.rels")
    if not workbook or not relations:
        return
    targets = {element.get("Id"): element.get("Target") or "" for element in parse_xml(relations)}
    for element in parse_xml(workbook).iter():
        if local_name(element) == "sheet":
            ids = [value for key, value in element.attrib.items() if key.endswith("}id")]
            target = targets.get(ids[0] if ids else "", "")
            yield element.get("name") or "", target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _percent_styles(content: bytes) -> set[bytes]:
    """Return the numbers of the styles that show a number as a percentage."""
    if not content:
        return set()
    formats, styles = set(_PERCENT_FORMATS), set[bytes]()
    for element in parse_xml(content).iter():
        name = local_name(element)
        if name == "numFmt" and "%" in _QUOTED.sub("", element.get("formatCode") or ""):
            formats.add(_number(element.get("numFmtId")))
        elif name == "cellXfs":
            styles = {
                b"%d" % number for number, style in enumerate(element) if _number(style.get("numFmtId")) in formats
            }
    return styles


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1


def _marks(archive: zipfile.ZipFile, part: str, styles: set[bytes]) -> Marks:
    """Read a sheet in pieces."""
    percent, errors = set[Place](), dict[Place, str]()
    rows, letters = 0, set[bytes]()
    for text in _pieces(archive, part):
        cells = _CELL.findall(text)
        letters.update({cell[0] for cell in cells})
        rows = max(rows, *(int(number) for number in {cell[1] for cell in cells}), 0)
        if styles or b't="e"' in text:
            for match in _CELL.finditer(text):
                if len(percent) + len(errors) < _MOST:
                    _mark(text, match, styles, percent, errors)
    return Marks(percent, errors, rows, max(map(_column, letters), default=-1) + 1)


def _mark(
    text: bytes, match: re.Match[bytes], styles: set[bytes], percent: set[Place], errors: dict[Place, str]
) -> None:
    """Note a cell if it holds a percentage or an error."""
    style = _STYLE.search(match[3]) if styles else None
    if style and style[1] in styles:
        percent.add((int(match[2]) - 1, _column(match[1])))
    if b't="e"' in match[0]:
        value = _ERROR.match(text, match.end())
        place = int(match[2]) - 1, _column(match[1])
        errors[place] = value[1].decode("ascii", "ignore") if value else "#ERROR"


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part in pieces that end before a cell."""
    with archive.open(part) as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            text = rest + chunk
            cut = text.rfind(b"<c ", max(0, len(text) - _OVERLAP))
            cut = len(text) if cut < 0 else cut
            yield text[:cut]
            rest = text[cut:]
        yield rest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
