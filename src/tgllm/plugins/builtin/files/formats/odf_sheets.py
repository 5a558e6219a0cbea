"""Sheets of an OpenDocument spreadsheet, which are read as a stream."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import IO, Any, Final

from tgllm.plugins.builtin.files.formats.odf_body import whole
from tgllm.plugins.builtin.files.formats.ooxml import attribute
from tgllm.plugins.builtin.files.shared.xml import local_name

__all__ = ["OdfSheet", "read_sheets"]

_MOST_COLUMNS: Final = 2_000
_MOST_REPEATED: Final = 1_000
"""Repetitions of a row with values that are kept."""
_DURATION = re.compile(r"(-?)PT(?:(\d{1,7})H)?(?:(\d{1,7})M)?(?:(\d{1,7})(?:[.,]\d+)?S)?")
_DIGITS: Final = ".15g"


@dataclass
class OdfSheet:
    """Sheet with the rows that are not empty."""

    name: str
    hidden: bool = False
    rows: list[list[str]] = field(default_factory=list[list[str]])
    """The first rows, as many as the text can hold."""
    in_all: int = 0
    chars: int = 0

    def add(self, row: list[str], times: int, most_chars: int) -> None:
        """Add a row; it is only counted if the text can't hold more."""
        self.in_all += times
        for _ in range(min(times, _MOST_REPEATED)):
            if self.chars > most_chars:
                return
            self.rows.append(row)
            self.chars += sum(map(len, row)) + 3 * len(row)


def read_sheets(file: IO[bytes], most_chars: int) -> Iterator[OdfSheet]:
    """Yield the sheets of a document.

    Raises:
        lxml.etree.XMLSyntaxError: it is damaged.
    """
    etree: Any = import_module("lxml.etree")
    events = etree.iterparse(
        file, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    hidden, sheet, depth = set[str](), None, 0
    for event, element in events:
        name = local_name(element)
        if event == "start":
            if name == "table":
                depth += 1
                if depth == 1:
                    sheet = OdfSheet(attribute(element, "name") or "", attribute(element, "style-name") in hidden)
        elif name == "table":
            depth -= 1
            if depth == 0 and sheet is not None:
                yield sheet
                sheet = None
        elif name == "table-row" and depth == 1 and sheet is not None:
            row = _row(element)
            if any(row):
                sheet.add(row, max(whole(attribute(element, "number-rows-repeated"), 1), 1), most_chars)
            element.clear()
        elif name == "table-properties" and attribute(element, "display") == "false":
            hidden.add(attribute(element.getparent(), "name") or "")


def _row(element: Any) -> list[str]:  # noqa: ANN401  lxml has no types
    cells: list[str] = []
    for cell in element:
        if local_name(cell) not in {"table-cell", "covered-table-cell"} or len(cells) >= _MOST_COLUMNS:
            continue
        repeated = max(whole(attribute(cell, "number-columns-repeated"), 1), 1)
        cells += [_value(cell)] * min(repeated, _MOST_COLUMNS - len(cells))
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _value(cell: Any) -> str:  # noqa: ANN401  lxml has no types
    """Return the value of a cell, or what is shown if that says more."""
    kind, value = attribute(cell, "value-type"), attribute(cell, "value")
    date, time = attribute(cell, "date-value"), attribute(cell, "time-value")
    if kind in {"float", "percentage"} and value:
        return _number(value, percent=kind == "percentage")
    if kind == "date" and date:
        day, _, clock = date.partition("T")
        return day if not clock or clock.startswith("00:00:00") else f"{day} {clock[:8].removesuffix(':00')}"
    if kind == "time" and time:
        return _clock(time)
    if kind == "boolean":
        return "TRUE" if attribute(cell, "boolean-value") == "true" else "FALSE"
    lines = (_shown(each) for each in cell if local_name(each) == "p")
    return " ".join(line for line in lines if line)


def _shown(paragraph: Any) -> str:  # noqa: ANN401  lxml has no types
    out = io.StringIO()
    for element in paragraph.iter():
        name = local_name(element)
        if name in {"s", "tab", "line-break"}:
            out.write(" ")
        elif name and element is not paragraph and name == "annotation":
            continue
        out.write(element.text or "")
        if element is not paragraph:
            out.write(element.tail or "")
    return " ".join(out.getvalue().split())


def _number(value: str, *, percent: bool) -> str:
    try:
        return f"{float(value) * 100:{_DIGITS}}%" if percent else f"{float(value):{_DIGITS}}"
    except ValueError:
        return value[:50]


def _clock(value: str) -> str:
    """Return a duration such as ``PT09H05M00S`` as a time."""
    match = _DURATION.fullmatch(value)
    if match is None:
        return value[:50]
    hours, minutes, seconds = (int(each or 0) for each in match.groups()[1:])
    return f"{match[1]}{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
