"""The page about the log lists every event that the sources write, with its levels and fields, and no other."""

import re
from functools import cache
from pathlib import Path

import pytest

from docs_support import read_page
from log_events import fields, log_calls, reports, sources

PAGE = read_page("reference/log.md")
ROWS = {
    row[0]: row[1:]
    for row in re.findall(r"^\| `([\w.]+\.[\w.]+)` \| ([\w, ]+) \| (.+?) \| (.*) \|$", PAGE, re.MULTILINE)
}
ANY_EVENT = ("services/errors/reports.py", "bot/telegram/outage.py")
"""Write lines whose events are literals where the failures are met."""
ELSEWHERE = {"log.suppressed", "python.warning"}
"""Written by the log itself."""
WITHOUT_UNIT = {"retry_in", "retry_after", "duration", "elapsed", "size", "timeout", "latency", "took", "age", "cost"}


# Parsing all sources takes seconds, which not every process that collects the tests shall spend.
@cache
def calls() -> list[tuple[Path, int, str, str]]:
    return [(path, *call) for path in sources() for call in log_calls(path)]


@cache
def all_reports() -> list[tuple[str, set[str], bool]]:
    return [report for path in sources() for report in reports(path)]


def test_every_event_has_a_literal_name() -> None:
    wrong = [(path, line) for path, line, _, event in calls() if not re.fullmatch(r"[a-z_]+\.[a-z_]+", event)]

    assert [path for path, _ in wrong if not path.as_posix().endswith(ANY_EVENT)] == []
    assert len(wrong) <= 3


def test_the_page_lists_every_event_and_no_other() -> None:
    logged = {event for _, _, _, event in calls() if event}

    assert logged | {event for event, _, _ in all_reports()} | ELSEWHERE == ROWS.keys()
    assert len(calls()) > 90
    assert len(all_reports()) > 5


def test_the_levels_are_those_of_the_source() -> None:
    levels: dict[str, set[str]] = {event: {"error"} for event, _, _ in all_reports()}
    for _, _, level, event in calls():
        if event:
            levels.setdefault(event, set()).add(level)

    assert {event: set(ROWS[event][0].split(", ")) for event in levels} == levels


@pytest.mark.parametrize("event", sorted(ROWS.keys() - ELSEWHERE))
def test_the_fields_are_those_of_the_source(event: str) -> None:
    documented = set(re.findall(r"`(\w+)`", ROWS[event][2]))
    found = [fields(path, event) for path in {path for path, _, _, name in calls() if name == event}]
    found += [(names, is_all) for name, names, is_all in all_reports() if name == event]
    written = set[str]().union(*(names for names, _ in found))

    assert written == documented if all(is_all for _, is_all in found) else written <= documented


def test_fields_have_their_unit_in_the_name() -> None:
    names = {name for row in ROWS.values() for name in re.findall(r"`(\w+)`", row[2])}

    assert names & WITHOUT_UNIT == set()


def test_the_rows_are_sorted() -> None:
    assert list(ROWS) == sorted(ROWS)
