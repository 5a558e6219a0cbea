"""``tgllm errors``."""

from dataclasses import replace

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.db.tables import errors
from tgllm.db.tables.errors import ErrorPlace, NewError

ERROR = NewError(
    id="E7K2-9QXM",
    event="command.failed",
    kind="ValueError",
    message="bang \x1b[2J",
    place="plugin.py:12",
    trace=["tgllm_weather/plugin.py:12 in handler"],
    plugin="weather",
    version="1.2",
    times=3,
    first_at=NOW,
    last_at=NOW,
    places=[ErrorPlace("update_id", "5", 42, NOW)],
)


@pytest.fixture
def database(shell: Shell) -> None:
    with shell.new_database() as conn:
        errors.put(conn, ERROR)
        errors.put(conn, replace(ERROR, id="2222-3333", plugin=None, last_at=NOW + 1, places=[]))


@pytest.mark.usefixtures("database")
class TestErrors:
    def test_the_list_has_a_line_for_each_kind_the_latest_first(self, shell: Shell) -> None:
        lines = [line.split("\t") for line in shell.runs("errors", "list").out.splitlines()]

        assert [line[0] for line in lines] == ["Code", "2222-3333", "E7K2-9QXM"]
        assert lines[2][2:] == ["3", "weather", "command.failed", "ValueError: bang [2J", "plugin.py:12"]

    @pytest.mark.parametrize("code", ["E7K2-9QXM", "e7k29qxm"])
    def test_one_is_shown_with_place_trace_and_where_to_look(self, shell: Shell, code: str) -> None:
        shown = shell.runs("errors", "show", code)

        assert shown.code == 0
        for part in ("E7K2-9QXM", "weather 1.2", "plugin.py:12", "in handler", "update_id=5", "3 x"):
            assert part in shown.out
        assert "\x1b" not in shown.out

    def test_for_programs(self, shell: Shell) -> None:
        shown = shell.reads("errors", "show", "E7K2-9QXM", "--json")

        assert (shown["id"], shown["times"], shown["plugin"]) == ("E7K2-9QXM", 3, "weather")
        assert shown["places"] == [{"kind": "update_id", "id": "5", "at": "2026-09-21T14:13:20+00:00"}]
        assert [each["id"] for each in shell.reads("errors", "list", "--json", "--limit", "1")] == ["2222-3333"]

    @pytest.mark.parametrize("code", ["AAAA-AAAA", "nonsense"])
    def test_an_unknown_code_is_an_error_in_a_sentence(self, shell: Shell, code: str) -> None:
        result = shell.runs("errors", "show", code)

        assert result.code == 1
        assert f"No error has the code {code}" in result.err


def test_without_errors_there_is_a_sentence(shell: Shell) -> None:
    result = shell.runs("errors", "list")

    assert (result.code, result.out) == (0, "")
    assert "No unexpected error" in result.err
