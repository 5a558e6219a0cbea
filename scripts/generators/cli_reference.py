"""Update ``docs/reference/cli.md``: the help of every command, and a section for each.

The text around the blocks of help is written by hand and stays. A new command gets a section, and the section of a
removed one goes.
"""

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import typer
from typer.core import TyperGroup

from tgllm.cli.main import main as run_tgllm
from tgllm.cli.table import COMMANDS

TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
SECTION = re.compile(r"^##+ tgllm (.*)$", re.MULTILINE)
HELP = re.compile(r"```console\n\$ tgllm (?:\S+ )*--help\n.*?```\n", re.DOTALL)


def commands() -> Iterator[str]:
    """Yield every command as it is written after ``tgllm``; a group comes before its commands."""
    for name, found in COMMANDS.items():
        yield name
        command = typer.main.get_command(importlib.import_module(found.module).app)
        if isinstance(command, TyperGroup):
            yield from (f"{name} {inner}" for inner in command.commands)


def text(page: str) -> str:
    """Return the page with the help of all commands."""
    head, sections = read_sections(page)
    parts = [HELP.sub(lambda _found: block(""), head)]
    for command in commands():
        level = "###" if " " in command else "##"
        body = HELP.sub(lambda _found, name=command: block(name), sections.get(command, block(command)))
        parts += [f"{level} tgllm {command}", body]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def read_sections(page: str) -> tuple[str, dict[str, str]]:
    """Return the text before the first section, and the body of each section by its command."""
    head, *rest = SECTION.split(page)
    return head, dict(zip(rest[::2], rest[1::2], strict=True))


def block(command: str) -> str:
    """Return the help of a command as a block of Markdown."""
    words = command.split()
    return f"```console\n$ {' '.join(['tgllm', *words, '--help'])}\n{help_of(words)}```\n"


def help_of(words: list[str]) -> str:
    """Return what a command prints for ``--help``, without the commands that the installed plugins add."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), mock.patch("importlib.metadata.entry_points", return_value=()):
        run_tgllm([*words, "--help"])
    return printed.getvalue()


if __name__ == "__main__":
    os.environ.update(COLUMNS="80", NO_COLOR="1")
    sys.exit(TARGET.write_text(text(TARGET.read_text(encoding="utf-8")), encoding="utf-8") == 0)
