"""Output of commands: sentences, a table in a terminal, tab-separated lines in a pipe, or JSON.

Texts may come from people, providers and plugins. Only this module and ``failure`` write to the standard streams, and
they escape what a terminal would act on instead of showing it.
"""

import errno
import json
import os
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, TextIO

import typer

from tgllm.api.errors import TgllmError
from tgllm.observe.visible import visible, visible_json, visible_line

__all__ = [
    "Bars",
    "InputEnded",
    "JsonOption",
    "OutputFailed",
    "agree",
    "ask",
    "bar_of",
    "confirm",
    "flush_or_drop",
    "flush_streams",
    "print_document",
    "print_json",
    "print_table",
    "say",
    "writing",
]

MOST_BAR = 20
"""Length of the longest bar, in characters."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class OutputFailed(TgllmError):
    """The standard output can't be written."""


class InputEnded(TgllmError):
    """The standard input ended before a question was answered."""


@contextmanager
def writing() -> Generator[None]:
    """Write to the standard output in a block.

    Raises:
        OutputFailed: it can't be written.
        BrokenPipeError: its reader is gone, which ends a command without a message.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise OutputFailed(f"the output can't be written: {error.strerror or error}") from None


def say(text: object, *, bold: bool = False, dim: bool = False, newline: bool = True) -> None:
    """Print a text; styles appear in a terminal only."""
    shown = visible(str(text))
    with writing():
        if bold or dim:
            typer.secho(shown, bold=bold, dim=dim, nl=newline)
        else:
            typer.echo(shown, nl=newline)


def ask(question: str, *, hidden: bool = False, default: str | None = None) -> str:
    """Prompt for a text.

    Raises:
        InputEnded: there is no answer.
    """
    shown = visible_line(question)
    with _answering(shown):
        if default is None:
            return str(typer.prompt(shown, hide_input=hidden))
        return str(typer.prompt(shown, hide_input=hidden, default=default, show_default=False))


def confirm(question: str) -> None:
    """Ask a question, and end the command unless the answer is yes.

    Raises:
        InputEnded: there is no answer.
    """
    shown = visible_line(question)
    with _answering(shown):
        typer.confirm(shown, abort=True)


def agree(question: str) -> bool:
    """Ask a question whose answer is yes by default, and return whether it is yes.

    Raises:
        InputEnded: there is no answer.
    """
    shown = visible_line(question)
    with _answering(shown):
        return typer.confirm(shown, default=True)


@contextmanager
def _answering(question: str) -> Generator[None]:
    from tgllm.cli.waking import signals_are_seen  # noqa: PLC0415  most commands ask nothing

    try:
        with signals_are_seen():
            yield
    except typer.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        typer.echo(err=True)
        advice = "Run the command in a terminal, or give the answer by an option: see --help."
        raise InputEnded(f'the input ended before there was an answer to "{question}". {advice}') from None


def print_json(data: object) -> None:
    """Print JSON; other characters than ASCII are escaped unless the output is UTF-8."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print_document(visible_json(json.dumps(data, ensure_ascii=not is_utf8, indent=2)) + "\n")


def print_document(text: str) -> None:
    """Print the text of a file, which ends with its own line end and contains no unsafe characters."""
    with writing():
        typer.echo(visible(text), nl=False)


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
        with writing():
            typer.echo("\t".join(map(visible_line, row)))


def _print_rich(
    columns: Sequence[str], rows: Iterable[Sequence[str]], footer: Sequence[str], bars: Bars | None
) -> None:
    from rich import box  # noqa: PLC0415  only for a terminal
    from rich.console import Console  # noqa: PLC0415  only for a terminal
    from rich.table import Table  # noqa: PLC0415  only for a terminal
    from rich.text import Text  # noqa: PLC0415  only for a terminal

    table = Table(box=box.SIMPLE_HEAD, show_footer=bool(footer))
    for column, foot in zip_longest(columns, footer, fillvalue=""):
        table.add_column(Text(visible_line(column)), Text(visible_line(foot)), overflow="fold")
    if bars is not None:
        table.add_column(bars.title, width=MOST_BAR, no_wrap=True)
    for row, share in zip_longest(rows, () if bars is None else bars.shares, fillvalue=None):
        bar = [] if share is None else [bar_of(share)]
        # As Text, because in a str rich reads square brackets as markup.
        table.add_row(*(Text(visible_line(cell)) for cell in (*(row or ()), *bar)))
    with writing():
        Console().print(table)


def bar_of(share: float) -> str:
    """Return a bar for a share from 0 to 1; empty only for 0."""
    eighths = max(round(share * MOST_BAR * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def flush_streams(code: int) -> int:
    """Write what the standard streams still hold, at the end; what can't be written is dropped.

    Otherwise Python tries to write it when it exits, prints an error of its own and exits with 120.

    Returns:
        The exit code, which is 1 for a command that has not failed but whose output is lost.
    """
    for stream in (sys.stdout, sys.stderr):
        if not flush_or_drop(stream) and stream is sys.stdout:
            code = code or 1
    return code


def flush_or_drop(stream: TextIO) -> bool:
    """Write what a standard stream still holds; if it can't be written, drop it and what follows, and return False."""
    try:
        stream.flush()
    except (OSError, ValueError):
        _drop(stream.fileno())
        return False
    return True


def _drop(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
