"""``tgllm usage``."""

import io
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.api.clock import SystemClock
from tgllm.db.file.schema import prepare
from tgllm.db.tables import usage, users
from tgllm.db.tables.usage import Spent
from tgllm.db.tables.users import SeenUser

ANN = SeenUser(42, "ann", "Ann")
GONE = 43


def day(ago: int = 0) -> str:
    return f"{datetime.fromtimestamp(SystemClock().now(), UTC) - timedelta(days=ago):%Y-%m-%d}"


@pytest.fixture
def database(shell: Shell) -> None:
    """Ann asked two models, somebody who is not known any more one of them, and so did the shell."""
    with shell.new_database() as conn:
        users.upsert_seen(conn, ANN, NOW)
        spent = Spent(input_tokens=1000, output_tokens=200, cost_micros=1_500_000)
        usage.add(conn, ANN.id, day(), "p", "big", spent)
        usage.add(conn, ANN.id, day(2), "p", "big", spent)
        usage.add(conn, ANN.id, day(2), "p", "small", Spent(input_tokens=10, output_tokens=20))
        usage.add(conn, GONE, day(), "p", "small", Spent(input_tokens=10, output_tokens=20, cost_micros=2500))
        usage.add(conn, None, day(40), "p", "small", Spent(input_tokens=1, output_tokens=1, cost_micros=1))


def reported(shell: Shell, *args: str) -> dict[str, Any]:
    return shell.reads("usage", "--json", *args)


@pytest.mark.usefixtures("database")
class TestSums:
    def test_by_person_for_programs(self, shell: Shell) -> None:
        report = reported(shell)

        assert (report["by"], report["since"], report["until"]) == ("user", day(29), day())
        assert report["rows"] == [
            {
                "user": ANN.id,
                "username": "ann",
                "role": "guest",
                "requests": 3,
                "input_tokens": 2010,
                "output_tokens": 420,
                "cost": 3.0,
                "unpriced_requests": 1,
            },
            {
                "user": GONE,
                "requests": 1,
                "input_tokens": 10,
                "output_tokens": 20,
                "cost": 0.0025,
                "unpriced_requests": 0,
            },
        ]
        assert report["total"] == {
            "requests": 4,
            "input_tokens": 2020,
            "output_tokens": 440,
            "cost": 3.0025,
            "unpriced_requests": 1,
        }

    def test_by_model(self, shell: Shell) -> None:
        rows = reported(shell, "--by", "model")["rows"]

        assert [(row["model"], row["requests"], row["cost"]) for row in rows] == [
            ("p/big", 2, 3.0),
            ("p/small", 2, 0.0025),
        ]

    def test_by_day_with_those_on_which_nothing_was_used(self, shell: Shell) -> None:
        rows = reported(shell, "--by", "day")["rows"]

        assert [(row["day"], row["requests"]) for row in rows] == [(day(2), 2), (day(1), 0), (day(0), 2)]

    def test_of_some_days(self, shell: Shell) -> None:
        assert reported(shell, "--days", "1")["total"]["requests"] == 2
        assert reported(shell, "--days", "3")["total"]["requests"] == 4
        assert reported(shell, "--days", "60")["total"]["requests"] == 5

    def test_days_are_those_of_the_time_zone(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        offset = timedelta(hours=14)
        monkeypatch.setenv("TGLLM_TIME_ZONE", "Pacific/Kiritimati")
        today = datetime.fromtimestamp(SystemClock().now(), UTC) + offset

        assert reported(shell)["until"] == f"{today:%Y-%m-%d}"

    def test_a_line_for_each_and_their_sum(self, shell: Shell) -> None:
        result = shell.runs("usage", "--days", "60")

        assert [line.split("\t") for line in result.out.splitlines()] == [
            ["Person", "Requests", "Tokens read", "Tokens written", "Cost (USD)"],
            ["Ann (@ann, 42)", "3", "2,010", "420", "3.00"],
            ["43", "1", "10", "20", "0.0025"],
            ["shell", "1", "1", "1", "0.000001"],
            ["All", "5", "2,021", "441", "3.002501"],
        ]
        assert result.err.count("not known") == 1
        assert "The price of 1 request is not known" in result.err
        assert "[prices]" in result.err

    def test_a_terminal_is_shown_bars(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("COLUMNS", "140")
        monkeypatch.setenv("NO_COLOR", "1")
        shell.runs("usage")

        ann, other = (line for line in terminal.getvalue().splitlines() if "█" in line or "▏" in line)
        assert ann.count("█") == 20
        assert "Ann (@ann, 42)" in ann
        assert "▏" in other


@pytest.mark.parametrize("by", ["user", "model", "day"])
class TestNothing:
    def test_before_the_first_start(self, shell: Shell, by: str) -> None:
        result = shell.runs("usage", "--by", by, "--days", "1")

        assert (result.code, result.out, result.err) == (0, "", f"tgllm: Nothing has been used since {day()}.\n")
        assert not shell.data_dir.exists()

    def test_for_programs(self, shell: Shell, by: str) -> None:
        prepare(shell.data_dir / "tgllm.db", NOW)

        assert reported(shell, "--by", by)["total"]["requests"] == 0


@pytest.mark.parametrize(
    "args", [("--by", "moon"), ("--days", "0"), ("--days", "99999"), ("--days", "x"), ("--config", "no.toml")]
)
def test_what_makes_no_sense_ends_with_2(shell: Shell, args: tuple[str, ...]) -> None:
    result = shell.runs("usage", *args)

    assert result.code == 2
    assert "Traceback" not in result.err
