"""Tables for people."""

import sys

import pytest

from cli_support import Terminal
from tgllm.cli.output import Bars, bar_of, print_table


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


def test_bars_and_a_footer_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(("Name",), [("a",), ("b",)], footer=("all [x]",), bars=Bars("Share", (1.0, 0.0)))
    lines = terminal.getvalue().splitlines()

    assert "█" * 20 in next(line for line in lines if "a" in line.split())
    assert "█" not in next(line for line in lines if "b" in line.split())
    assert any("all [x]" in line for line in lines)


def test_no_bars_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name",), [("a",)], footer=("all",), bars=Bars("Share", (1.0,)))

    assert capsys.readouterr().out == "Name\na\nall\n"


@pytest.mark.parametrize(
    ("share", "bar"), [(0, ""), (1e-9, "▏"), (0.5, "█" * 10), (0.525, "█" * 10 + "▌"), (1, "█" * 20)]
)
def test_a_bar(share: float, bar: str) -> None:
    assert bar_of(share) == bar
