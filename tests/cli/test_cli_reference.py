"""The page about commands shows what ``--help`` says."""

import pytest

import cli_reference
from cli_support import Shell
from docs_support import read_page
from tgllm.cli.table import COMMANDS

PAGE = read_page("reference/cli.md")


# Other versions of Typer wrap lines elsewhere.
@pytest.mark.once
@pytest.mark.usefixtures("home")
class TestPage:
    def test_it_is_up_to_date(self) -> None:
        assert cli_reference.text(PAGE) == PAGE, "run `make generate`"

    def test_old_help_is_replaced_and_words_stay(self) -> None:
        old = PAGE.replace("Check the database without changing it", "Something else").replace(
            "--data-dir PATH", "--data PATH"
        )

        assert cli_reference.text(old) == PAGE

    def test_a_new_command_gets_a_section(self) -> None:
        head, _, rest = PAGE.partition("## tgllm ping\n")
        without = head + rest[rest.index("## ") :]

        assert "tgllm ping --help" not in without
        assert "tgllm ping --help" in cli_reference.text(without)

    def test_the_section_of_a_removed_command_goes(self) -> None:
        assert cli_reference.text(f"{PAGE}\n## tgllm gone\n\nWords.\n") == PAGE


def test_every_command_is_on_the_page() -> None:
    named = set(cli_reference.commands())

    assert COMMANDS.keys() <= named
    assert {"config show", "models sync", "users approve"} <= named
    assert cli_reference.read_sections(PAGE)[1].keys() == named


def test_the_commands_have_the_help_lines_of_the_table(shell: Shell) -> None:
    for name, entry in COMMANDS.items():
        assert entry.help.rstrip(".") in " ".join(shell.runs(name, "--help").out.split())
