"""The page about commands shows what ``--help`` says."""

import importlib
import re
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from cli_support import Shell
from docs_support import read_page
from tgllm.cli.table import COMMANDS

PAGE = read_page("reference/cli.md")
SHOWN = dict(re.findall(r"```console\n\$ tgllm (.*?)--help\n(.*?)```", PAGE, re.DOTALL))


TABLE = COMMANDS


def commands() -> Iterator[str]:
    """Every command as it is written after ``tgllm``, groups too; each with a space at its end."""
    yield ""
    for name, entry in TABLE.items():
        yield f"{name} "
        command = typer.main.get_command(importlib.import_module(entry.module).app)
        if isinstance(command, TyperGroup):
            yield from (f"{name} {inner} " for inner in command.commands)


@pytest.mark.parametrize("command", list(commands()))
def test_the_page_shows_the_help_of_each_command(shell: Shell, command: str) -> None:
    result = shell.runs(*command.split(), "--help")

    assert result.code == 0
    assert SHOWN.get(command) == result.out


def test_the_page_shows_nothing_else() -> None:
    assert SHOWN.keys() == set(commands())


def test_the_commands_have_the_help_lines_of_the_table(shell: Shell) -> None:
    for name, entry in TABLE.items():
        assert entry.help.rstrip(".") in " ".join(shell.runs(name, "--help").out.split())
