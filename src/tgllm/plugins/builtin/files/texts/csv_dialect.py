"""Dialect of a CSV file: which character separates the cells, and whether numbers have a decimal comma."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

__all__ = ["Dialect", "sniff"]

_DELIMITERS = ",;\t|"
_MOST_ROWS = 200
_NUMBER = re.compile(r"-?[\d\u00a0 .]*\d,\d+")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a table are written."""

    delimiter: str
    quote: str = '"'
    skipped: int = 0
    """Characters before the first row, such as Excel's line ``sep=;``."""


def sniff(head: str, *, named: str = "") -> Dialect:
    """Return the dialect of a table by its beginning: the delimiter that gives the most even rows of several cells.

    Args:
        head: the first lines; the last one may be cut.
        named: the delimiter that the kind of file means, such as a tab, which is preferred.
    """
    announced = _SEPARATOR_LINE.match(head)
    if announced:
        return Dialect(announced[1], skipped=announced.end())
    lines = head.splitlines(keepends=True)
    sample = "".join(lines[:-1] if len(lines) > 1 and not head.endswith("\n") else lines)
    quote = (
        "'"
        if sample.count('"') == 0 and len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\n])", sample, re.MULTILINE)) > 1
        else '"'
    )
    scored = [(_score(sample, each, quote, named), -place, each) for place, each in enumerate(_DELIMITERS)]
    score, _, delimiter = max(scored)
    return Dialect(delimiter if score > 0 else named or ",", quote)


def _score(sample: str, delimiter: str, quote: str, named: str) -> float:
    """Return how well a delimiter explains the rows: the share of rows of the usual width, and that width."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quotechar=quote):
            if row:
                rows.append(row)
            if len(rows) >= _MOST_ROWS:
                break
    except csv.Error:
        return 0.0
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
    if width == 1:
        return 0.0
    score = count / len(rows) + min(width, 20) * 0.01 + (0.5 if delimiter == named else 0.0)
    # Cells such as `1` and `50` beside each other in all rows are numbers with a decimal comma.
    if delimiter == "," and _are_decimals(sample):
        score -= 0.5
    return score


def _are_decimals(sample: str) -> bool:
    """Return whether the commas of a sample are those of numbers between other delimiters."""
    cells = [cell for line in sample.splitlines() for cell in re.split(r"[;\t|]", line)]
    numbers = sum(1 for cell in cells if _NUMBER.fullmatch(cell.strip().strip('"')))
    commas = sum(1 for cell in cells if "," in cell)
    return numbers > 0 and numbers * 2 >= commas and len(cells) > len(sample.splitlines())
