"""Cron expressions mean what they mean in Unix, in the time zone of the bot."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tgllm.api import ConfigError
from tgllm.scheduler.clock import Cron


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def following(cron: Cron, start: str, count: int) -> list[str]:
    """The next times after a moment, in UTC."""
    found: list[str] = []
    moment: float | None = at(start)
    while moment is not None and len(found) < count:
        moment = cron.next_after(moment)
        found.append("never" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%a %d %b %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 4 * * *", ["Sun 22 Nov 04:00", "Mon 23 Nov 04:00"]),
        ("*/20 * * * *", ["Sun 22 Nov 00:20", "Sun 22 Nov 00:40"]),
        ("0 0 1 * *", ["Tue 01 Dec 00:00", "Fri 01 Jan 00:00"]),
        ("0 0 * * 0", ["Sun 29 Nov 00:00", "Sun 06 Dec 00:00"]),
        ("0 0 * * 7", ["Sun 29 Nov 00:00", "Sun 06 Dec 00:00"]),
        ("0 0 * * 1", ["Mon 23 Nov 00:00", "Mon 30 Nov 00:00"]),
        ("0 0 * * 5-1", ["Mon 23 Nov 00:00", "Fri 27 Nov 00:00"]),
        ("0 0 * * Mon-Fri/2", ["Mon 23 Nov 00:00", "Wed 25 Nov 00:00"]),
        ("0 0 * * */3", ["Wed 25 Nov 00:00", "Sat 28 Nov 00:00"]),
        ("0 0 * * 4/2", ["Thu 26 Nov 00:00", "Sat 28 Nov 00:00"]),
        ("0 0 25 * mon", ["Mon 23 Nov 00:00", "Wed 25 Nov 00:00"]),
        ("0 0 29 2 *", ["Tue 29 Feb 00:00", "Sun 29 Feb 00:00"]),
    ],
)
def test_times_come_in_order(text: str, expected: list[str]) -> None:
    # A Sunday, at midnight.
    assert following(Cron.parse(text, UTC), "2026-11-22T00:00", 2) == expected


def test_a_time_that_has_come_is_not_next() -> None:
    cron = Cron.parse("0 4 * * *", UTC)

    assert cron.next_after(at("2026-11-22T04:00")) == at("2026-11-23T04:00")
    assert cron.next_after(at("2026-11-22T03:59:59.5")) == at("2026-11-22T04:00")


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        # In spring 02:30 is left out, and comes an hour later; in autumn the first of the two counts.
        ("30 2 * * *", "2026-03-28T12:00", ["Sun 29 Mar 01:30", "Mon 30 Mar 00:30"]),
        ("30 2 * * *", "2026-10-24T12:00", ["Sun 25 Oct 00:30", "Mon 26 Oct 01:30"]),
        ("30 * * * *", "2026-10-25T00:00", ["Sun 25 Oct 00:30", "Sun 25 Oct 01:30"]),
        # A day of 23 hours is followed by another one.
        ("0 0 * * *", "2026-03-28T23:00", ["Sun 29 Mar 22:00", "Mon 30 Mar 22:00"]),
    ],
)
def test_the_wall_clock_of_the_zone_counts(text: str, start: str, expected: list[str]) -> None:
    assert following(Cron.parse(text, ZoneInfo("Europe/Berlin")), start, 2) == expected


@pytest.mark.parametrize("cron", ["0 0 * * *", "30 2 * * *", "*/20 2,3 * * *", "*/15 * * * *", "0 */2 * * *"])
@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", "2026-03-28"),
        ("Europe/Berlin", "2026-10-24"),
        ("Pacific/Chatham", "2026-04-04"),
        ("Australia/Lord_Howe", "2026-10-03"),
        ("Africa/Cairo", "2026-04-23"),
        # A day that was left out.
        ("Pacific/Apia", "2011-12-29"),
    ],
)
def test_nothing_is_left_out_where_clocks_are_set(cron: str, zone: str, day: str) -> None:
    times, begin = Cron.parse(cron, ZoneInfo(zone)), at(f"{day}T00:00")
    found: list[float] = [begin]
    while found[-1] < begin + 3 * 86_400:
        found.append(times.next_after(found[-1]) or 0.0)
    assert found == sorted(set(found))
    # From whatever moment it is asked for, the next time is the same.
    for start in range(int(begin), int(found[-1]) - 1, 601):
        assert times.next_after(start) == next(time for time in found[1:] if time > start)
    longest = max(after - before for before, after in pairwise(found[1:]))
    assert longest <= {"*/15 * * * *": 900, "0 */2 * * *": 3 * 3600}.get(cron, 25 * 3600)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 4 * *", "4 fields instead of 5"),
        ("daily", "1 fields instead of 5"),
        ("61 * * * *", "no cron expression"),
        ("* * * * 8", "'8' is no day of the week"),
        ("* * * * mon/0", "no step of days"),
        ("* * * * ,", "no day of the week"),
        ("x * * * *", "no cron expression"),
        ("0 0 31 2 *", "a day that never comes"),
    ],
)
def test_a_wrong_expression_is_told(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as told:
        Cron.parse(text, UTC)
    assert text in str(told.value)
