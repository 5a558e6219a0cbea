"""Reader of spreadsheets: xlsx, xls and xlsb."""

import datetime as dt
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.formats.sheet_cells import Marks, marks_of_sheets
from tgllm.plugins.builtin.files.shared.archives import check_ole, check_real_sizes, open_archive
from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.long_tables import add_rows, room_for

__all__ = ["extract"]

_NO_MARKS: Final = Marks(set(), {}, 0, 0)
_BYTES_PER_CELL: Final = 64
_DIGITS: Final = ".15g"
"""As many digits as spreadsheets show."""


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a spreadsheet: each sheet as a Markdown table.

    Raises:
        FileUnreadable: it is empty, damaged, protected by a password or too large, or it has no values.
    """
    calamine: Any = import_module("python_calamine")
    marks = _check(path, limits)
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            return _read(book, calamine, marks, limits)
    except calamine.PasswordError as error:
        raise FileUnreadable("The spreadsheet needs a password", code="file_password") from error
    except (calamine.CalamineError, OSError) as error:
        raise FileUnreadable("The spreadsheet is damaged", code="file_broken") from error
    except BaseException as error:
        # A failed assertion of the library, which is no subclass of Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FileUnreadable("The spreadsheet is damaged", code="file_broken") from error


def _check(path: Path, limits: ExtractionLimits) -> dict[str, Marks]:
    """Check the sizes before anything is parsed; return what is known of the cells of xlsx files."""
    try:
        archive = open_archive(path, limits, parsed=False)
    except FileUnreadable as error:
        if error.code == FileUnreadable.default_code:
            check_ole(path)
            return {}  # xls, which is no archive
        raise
    with archive:
        check_real_sizes(path, archive)
        try:
            marks = marks_of_sheets(archive)
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
            raise FileUnreadable("The spreadsheet is damaged", code="file_broken") from error
    if any(mark.rows * mark.columns * _BYTES_PER_CELL > limits.memory_bytes for mark in marks.values()):
        raise FileUnreadable("A sheet is too large", code="file_too_large_to_read")
    return marks


def _read(book: Any, calamine: Any, marks: dict[str, Marks], limits: ExtractionLimits) -> Extracted:  # noqa: ANN401  python-calamine is imported when it is needed
    builder = TextBuilder(limits)
    sheets = [meta for meta in book.sheets_metadata if meta.typ == calamine.SheetTypeEnum.WorkSheet]
    values, cut = False, False
    for number, meta in enumerate(sheets):
        if builder.full:
            break
        hidden = "" if meta.visible == calamine.SheetVisibleEnum.Visible else " (hidden)"
        builder.mark("sheet", meta.name + hidden)
        table = _Table(book.get_sheet_by_name(meta.name), marks.get(meta.name, _NO_MARKS))
        if not table.rows:
            builder.line("(empty)")
            continue
        values = True
        room = room_for(builder, is_last=number == len(sheets) - 1)
        cut = not add_rows(builder, table, len(table.columns), table.rows, room) or cut
    if not values:
        raise FileUnreadable("The spreadsheet has no values", code="file_empty")
    return Extracted(text=builder.text, truncated=builder.truncated or cut, pages=len(sheets))


class _Table:
    """Values of a sheet as texts, without empty rows and columns."""

    def __init__(self, sheet: Any, marks: Marks) -> None:  # noqa: ANN401  python-calamine is imported when it is needed
        self._sheet = sheet
        self._marks = marks
        self._left = (sheet.start or (0, 0))[1]
        used = set[int]()
        self.rows = 0
        """Rows that are not empty."""
        for values in sheet.iter_rows():
            filled = [number for number, value in enumerate(values) if value != ""]
            used.update(filled)
            self.rows += bool(filled)
        for _, column in marks.errors:
            used.add(column - self._left)
        self.columns = sorted(number for number in used if number >= 0)
        self._merged = self._merged_down()

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the rows that are not empty."""
        for number, values in enumerate(self._sheet.iter_rows()):
            row = [self._text(number, column, values) for column in self.columns]
            if any(row) and any(value != "" for value in values):
                yield row

    def _text(self, row: int, column: int, values: Sequence[Any]) -> str:
        value = values[column] if column < len(values) else ""
        place = (row, column + self._left)
        if value == "":
            return self._marks.errors.get(place) or self._repeated(place)
        text = f"{float(value) * 100:{_DIGITS}}%" if place in self._marks.percent and _is_number(value) else show(value)
        if place in self._merged:
            self._merged[place] = text
        return text

    def _repeated(self, place: tuple[int, int]) -> str:
        """Return the value of a cell that is merged with the one above."""
        first = self._under.get(place)
        return self._merged.get(first, "") if first else ""

    def _merged_down(self) -> dict[tuple[int, int], str]:
        """Find the cells that are merged over several rows of one column, whose value holds for each row."""
        merged: dict[tuple[int, int], str] = {}
        self._under: dict[tuple[int, int], tuple[int, int]] = {}
        for (top, left), (bottom, right) in (self._sheet.merged_cell_ranges or ())[:10_000]:
            if left == right and bottom - top < 1000:
                merged[top, left] = ""
                self._under.update({(row, left): (top, left) for row in range(top + 1, bottom + 1)})
        return merged


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def show(value: Any) -> str:  # noqa: ANN401  what a cell holds
    """Return a value as text: numbers as spreadsheets show them, dates and times in ISO's format."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return f"{value:{_DIGITS}}"
        case dt.datetime():
            if value.time() == dt.time():
                return value.date().isoformat()
            return value.isoformat(" ", "seconds" if value.second else "minutes")
        case dt.time():
            return value.isoformat("seconds" if value.second else "minutes")
        case dt.timedelta():
            seconds = round(value.total_seconds())
            sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
            return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(value)
