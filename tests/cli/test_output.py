"""Tables for people."""

import io
import sys

import pytest

from tgllm.cli.output import print_table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def in_a_terminal(monkeypatch: pytest.MonkeyPatch, *rows: tuple[str, ...]) -> str:
    """What a terminal of 30 columns is shown."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "30")
    print_table(("Name", "Note"), rows)
    return terminal.getvalue()


def test_a_terminal_gets_a_table_that_is_folded_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = in_a_terminal(monkeypatch, ("a", "x" * 60), ("b", "[red]as it is[/red]"))

    assert shown.count("x") == 60
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert "\x1b[" in shown
    assert "[red]" in shown


def test_no_colours_where_none_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b[3" not in in_a_terminal(monkeypatch, ("a", "b"))


def test_a_pipe_gets_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "Note"), [("a", "two\nlines\tand a tab")])

    assert capsys.readouterr().out == "Name\tNote\na\ttwo lines and a tab\n"
