"""Tables as Markdown."""

from collections.abc import Iterable, Iterator, Sequence

__all__ = ["cell", "table_lines", "trimmed"]


def cell(text: str) -> str:
    """Return the text of a cell on one line, without separators of columns."""
    text = " ".join(text.split())
    return text.replace("\\", "\\\\").replace("|", "\\|") if "|" in text else text


def table_lines(rows: Iterable[Sequence[str]], columns: int) -> Iterator[str]:
    """Yield the lines of a table, whose first row is the header; short rows are filled."""
    for number, row in enumerate(rows):
        cells = [cell(text) for text in row[:columns]]
        cells += [""] * (columns - len(cells))
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{' --- |' * columns}"


def trimmed(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return a small table without empty rows and columns."""
    used = sorted({number for row in rows for number, text in enumerate(row) if text.strip()})
    return [
        [row[number] if number < len(row) else "" for number in used]
        for row in rows
        if any(text.strip() for text in row)
    ]
