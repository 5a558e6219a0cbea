"""Reader of CSV and TSV files, as a Markdown table."""

import contextlib
import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text
from tgllm.plugins.builtin.files.shared.encoding import open_text
from tgllm.plugins.builtin.files.shared.reading import read_file
from tgllm.plugins.builtin.files.shared.tables import table_lines
from tgllm.plugins.builtin.files.texts.csv_dialect import Dialect, sniff

__all__ = ["extract", "write"]

_HEAD = 65_536
_LONGEST_CELL = 200_000
_MOST_COLUMNS = 500
_WIDTH_ROWS = 1_000
"""First rows that decide how many columns the table has."""
_NOTE_ROOM = 120


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return a table, whose first row is the header; a long one is cut between rows, with a note of their number."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, name: str, builder: TextBuilder) -> str:
    """Add a table."""
    with open_text(stream) as (reader, encoding):
        head = reader.read(_HEAD)
        dialect = sniff(head, named="\t" if name.lower().endswith((".tsv", ".tab")) else "")
        rows = _rows(head, reader, dialect)
        first = list(itertools.islice(rows, _WIDTH_ROWS))
        columns = min(max((len(row) for row in first), default=0), _MOST_COLUMNS)
        if columns == 0:
            return encoding
        if columns == 1:
            _write_lines(first, rows, builder)
            return encoding
        lines = table_lines(itertools.chain(first, rows), columns)
        for written, line in enumerate(lines):
            if len(line) + _NOTE_ROOM > builder.left or builder.full:
                rest = sum(1 for _ in lines)
                # The header, and the line below it, are no rows of data.
                builder.line("")
                builder.add(f"(Cut. Rows shown: {max(written - 2, 0):,} of {max(written - 1 + rest, 0):,}.)")
                builder.truncated = True
                break
            builder.line(line)
        return encoding


def _rows(head: str, reader: TextIO, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the rows that are not empty."""
    csv.field_size_limit(_LONGEST_CELL)
    start = io.StringIO(head[dialect.skipped :] + reader.readline(_LONGEST_CELL), newline="")
    pending: list[str] = []

    def lines() -> Iterator[str]:
        for line in itertools.chain(start, reader):
            pending.append(line.replace("\0", ""))
            yield pending[-1]

    cells = csv.reader(lines(), delimiter=dialect.delimiter, quotechar=dialect.quote)
    while True:
        row: list[str] | None = None
        with contextlib.suppress(csv.Error):
            row = next(cells, list[str]())
        if not pending:
            return
        is_whole = len(pending) == 1 or sum(line.count(dialect.quote) for line in pending) % 2 == 0
        # A quote that is never closed is a character of its cell, not the beginning of a cell to the end of the file.
        found = [row] if row is not None and is_whole else [line.strip().split(dialect.delimiter) for line in pending]
        pending.clear()
        yield from ([clean_text(cell) for cell in each] for each in found if any(each))


def _write_lines(first: list[list[str]], rows: Iterator[list[str]], builder: TextBuilder) -> None:
    for row in itertools.chain(first, rows):
        if not builder.line(row[0]):
            return
