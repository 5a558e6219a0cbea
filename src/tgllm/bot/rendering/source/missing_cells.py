"""Mends rows of tables that have other cells than their header.

The parser completes each row to the columns of the header: a wide header and many short rows make a table of a size
that is their product. A row with too many cells often has a bar in code or in a formula.
"""

import re

from tgllm.bot.rendering.source.code import outside_code, replaced

__all__ = ["with_filled_tables"]

MOST_MISSING = 64
"""Missing cells that any table may have; a long one may have more."""
_LENGTH_OF_CELL = 4
"""A table may have one missing cell for so many characters."""

_ROW = r"[ \t>*+\-\d.):|]++"
_DELIMITER_ROW = re.compile(_ROW)
_DELIMITER_ROWS = outside_code(rf"^{_ROW}$")
_CODE_OR_FORMULA = re.compile(r"\\.|(?<!`)`(?!`)[^`]*+`|\$(?![\s$])[^$`]*+\$(?![\w$])")
_BARE_BAR = re.compile(r"(\\.)|\|")
_BLANK_LINE = re.compile(r"\n[ \t>]*+\n")


def with_filled_tables(markdown: str) -> str:
    """Return the Markdown in which tables with too many missing cells are no tables, but lines of text."""
    return replaced(markdown, _DELIMITER_ROWS, _checked) if "|" in markdown else markdown


def _checked(row: re.Match[str]) -> tuple[str, int] | None:
    """Return the lines from a delimiter row to the next blank line; they may hold several tables."""
    if not _is_delimiter_row(row[0]):
        return None
    blank = _BLANK_LINE.search(row.string, row.end())
    end = blank.start() if blank else len(row.string)
    block = row.string[row.start() : end]
    columns = missing = 0
    lines = block.split("\n")
    for index, line in enumerate(lines):
        cells = _cells(line)
        if _is_delimiter_row(line):
            columns = max(columns, cells)
        elif cells > columns:
            lines[index] = _with_escaped_bars(line)
            cells = columns
        missing += max(columns - cells, 0)
    if missing > MOST_MISSING + len(block) // _LENGTH_OF_CELL:
        lines = [line.replace("|", "\\|", 1) if _is_delimiter_row(line) else line for line in lines]
    return "\n".join(lines), end


def _cells(line: str) -> int:
    return line.strip(" \t>").strip("|").count("|") + 1


def _with_escaped_bars(row: str) -> str:
    """Return a row with the bars in its code and formulas escaped, as they have to be in a table."""

    def escaped(found: re.Match[str]) -> str:
        text = found[0]
        if text.startswith("\\") or text[-2:-1].isspace():
            return text
        return _BARE_BAR.sub(lambda bar: bar[0] if bar[1] else "\\|", text)

    return _CODE_OR_FORMULA.sub(escaped, row)


def _is_delimiter_row(line: str) -> bool:
    return "|" in line and "-" in line and _DELIMITER_ROW.fullmatch(line) is not None
