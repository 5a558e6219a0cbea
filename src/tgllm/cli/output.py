"""What commands print: a table for people, plain lines for a pipe, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated

import typer

__all__ = ["Bars", "JsonOption", "bar_of", "print_json", "print_table"]

MOST_BAR = 20
"""Characters of the longest bar."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(data: object) -> None:
    """Print JSON; letters of all languages stay readable, unless the output is in an encoding that is not JSON's."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    typer.echo(json.dumps(data, ensure_ascii=not is_utf8, indent=2))


@dataclass(frozen=True, slots=True)
class Bars:
    """A last column for a terminal: a bar for each row."""

    title: str
    shares: Sequence[float]
    """From 0 to 1, one for each row."""


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, footer: Sequence[str] = (), bars: Bars | None = None
) -> None:
    """Print rows under their columns, and a footer below them; nothing is ever cut off.

    In a terminal it is a table as wide as the terminal, in colours unless ``NO_COLOR`` is set; elsewhere each row is
    one line with tabs between its cells, and there are no bars.
    """
    if sys.stdout.isatty():
        _print_rich(columns, rows, footer, bars)
        return
    for row in (columns, *rows, *([footer] if footer else [])):
        typer.echo("\t".join(" ".join(cell.split()) for cell in row))


def _print_rich(
    columns: Sequence[str], rows: Iterable[Sequence[str]], footer: Sequence[str], bars: Bars | None
) -> None:
    from rich import box  # noqa: PLC0415  for people at a terminal only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, show_footer=bool(footer))
    for column, foot in zip_longest(columns, footer, fillvalue=""):
        table.add_column(column, Text(foot), overflow="fold")
    if bars is not None:
        table.add_column(bars.title, width=MOST_BAR, no_wrap=True)
    for row, share in zip_longest(rows, () if bars is None else bars.shares, fillvalue=None):
        bar = [] if share is None else [bar_of(share)]
        # Text, so that square brackets in a cell are no markup.
        table.add_row(*(Text(cell) for cell in (*(row or ()), *bar)))
    Console().print(table)


def bar_of(share: float) -> str:
    """A bar for a share from 0 to 1: nothing for nothing, and at least a little for anything."""
    eighths = max(round(share * MOST_BAR * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
