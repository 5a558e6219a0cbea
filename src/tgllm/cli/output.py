"""What commands print: a table for people, plain lines for a pipe, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

__all__ = ["JsonOption", "print_json", "print_table"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(data: object) -> None:
    """Print JSON; letters of all languages stay readable."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns; nothing is ever cut off.

    In a terminal it is a table as wide as the terminal, in colours unless ``NO_COLOR`` is set; elsewhere each row is
    one line with tabs between its cells.
    """
    if sys.stdout.isatty():
        _print_rich(columns, rows)
        return
    for row in (columns, *rows):
        typer.echo("\t".join(" ".join(cell.split()) for cell in row))


def _print_rich(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box  # noqa: PLC0415  for people at a terminal only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text, so that square brackets in a cell are no markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
