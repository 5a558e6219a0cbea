"""Output of commands: a table in a terminal, tab-separated lines in a pipe, or JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated

import typer

__all__ = ["Bars", "JsonOption", "bar_of", "print_json", "print_table"]

MOST_BAR = 20
"""Length of the longest bar, in characters."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(data: object) -> None:
    """Print JSON; other characters than ASCII are escaped unless the output is UTF-8."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    typer.echo(json.dumps(data, ensure_ascii=not is_utf8, indent=2))


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of a table in a terminal, as its last column."""

    title: str
    shares: Sequence[float]
    """Length of each row's bar, from 0 to 1."""


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, footer: Sequence[str] = (), bars: Bars | None = None
) -> None:
    """Print rows under their columns, with an optional footer; nothing is truncated.

    A terminal shows a table of its width, with colours unless ``NO_COLOR`` is set. Other output has a line for each
    row with tabs between the cells, and no bars.
    """
    if sys.stdout.isatty():
        _print_rich(columns, rows, footer, bars)
        return
    for row in (columns, *rows, *([footer] if footer else [])):
        typer.echo("\t".join(" ".join(cell.split()) for cell in row))


def _print_rich(
    columns: Sequence[str], rows: Iterable[Sequence[str]], footer: Sequence[str], bars: Bars | None
) -> None:
    from rich import box  # noqa: PLC0415  only for a terminal
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
        # As Text, because in a str rich reads square brackets as markup.
        table.add_row(*(Text(cell) for cell in (*(row or ()), *bar)))
    Console().print(table)


def bar_of(share: float) -> str:
    """Return a bar for a share from 0 to 1; empty only for 0."""
    eighths = max(round(share * MOST_BAR * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
