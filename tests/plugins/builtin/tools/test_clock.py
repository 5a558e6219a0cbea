"""What the clock tells."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.plugins.builtin.tools.clock import CannotTell, Moments, moment, zone_of

NOW = Moments(datetime(2030, 12, 24, 18, 30, tzinfo=UTC))


def test_now_has_the_weekday_the_zone_and_the_week() -> None:
    assert NOW.about(None, None, None) == "Now: Tuesday 2030-12-24 18:30:00 (UTC+00:00), ISO week 52 of 2030"


def test_a_date_has_its_weekday_and_its_distance() -> None:
    lines = NOW.about(moment("2031-01-01", UTC), None, None).splitlines()

    assert lines[1:] == [
        "Date: Wednesday 2031-01-01 00:00:00 (UTC+00:00), ISO week 1 of 2031",
        "From now: calendar days: 8; exactly: 7d 5h 30min",
    ]


def test_the_time_between_two_dates_may_be_negative() -> None:
    text = NOW.about(moment("2030-03-01", UTC), moment("2030-02-01", UTC), None)

    assert text.endswith("From the first to the second: calendar days: -28; exactly: -28d 0h 0min")


@pytest.mark.parametrize(
    ("first", "second", "exactly"),
    [
        ("2026-03-28T12:00", "2026-03-29T12:00", "0d 23h 0min"),
        ("2026-10-25T12:00", "2026-10-24T12:00", "-1d 1h 0min"),
        ("0001-01-01", "0001-01-02", "1d 0h 0min"),
        ("9999-12-30", "9999-12-31", "1d 0h 0min"),
    ],
)
def test_the_time_between_two_dates_counts_a_change_to_summer_time(first: str, second: str, exactly: str) -> None:
    zone = zone_of("Europe/Berlin")

    assert NOW.about(moment(first, zone), moment(second, zone), None).endswith(f"exactly: {exactly}")


@pytest.mark.parametrize(
    ("begin", "shift", "end"),
    [
        ("2031-01-31", (1, "months"), "Friday 2031-02-28"),
        ("2028-02-29", (1, "years"), "Wednesday 2029-02-28"),
        ("2030-01-15", (-1, "months"), "Saturday 2029-12-15"),
        ("2030-12-30", (2, "days"), "Wednesday 2031-01-01"),
        ("2030-12-30", (-1, "weeks"), "Monday 2030-12-23"),
    ],
)
def test_a_date_is_moved_by_the_calendar(begin: str, shift: tuple[int, str], end: str) -> None:
    assert f"After {shift[0]} {shift[1]}: {end}" in NOW.about(moment(begin, UTC), None, shift)


@pytest.mark.parametrize("shift", [(10**9, "days"), (8000, "years"), (-2031, "years"), (10**30, "months")])
def test_a_date_beyond_the_calendar_is_an_error(shift: tuple[int, str]) -> None:
    with pytest.raises(CannotTell):
        NOW.about(None, None, shift)


@pytest.mark.parametrize("name", ["UTC+3", "+03:00", "gmt+03", "+3"])
def test_an_offset_is_a_zone(name: str) -> None:
    assert zone_of(name).utcoffset(None) == timedelta(hours=3)


def test_a_zone_has_its_name_in_the_answer() -> None:
    now = Moments(datetime(2030, 7, 1, 12, tzinfo=UTC).astimezone(zone_of("Europe/Berlin")))

    assert "14:00:00 (Europe/Berlin, UTC+02:00)" in now.about(None, None, None)


@pytest.mark.parametrize("name", ["Mars", "Europe", "../../etc/passwd", "/etc/passwd", "", "UTC+99", "a\0b"])
def test_what_is_no_zone_is_an_error(name: str) -> None:
    with pytest.raises(CannotTell, match="Europe/Berlin"):
        zone_of(name)


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_an_error(text: str) -> None:
    with suppress(CannotTell):
        assert moment(text, UTC).tzinfo is not None
