"""When a reminder is due: once, or on some days of each week at a time of the person's day."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from tgllm.config import checks

__all__ = [
    "EVERY_DAY",
    "WEEKDAYS",
    "WEEKEND",
    "day_bits",
    "days_in",
    "is_on",
    "local_time",
    "next_time",
    "plus",
    "zone_named",
]

EVERY_DAY: Final = 0b1111111
"""The days of a week as bits; the lowest bit is Monday."""
WEEKDAYS: Final = 0b0011111
WEEKEND: Final = 0b1100000
_WEEK = 7


def day_bits(days: Iterable[int]) -> int:
    """Return days of the week, where Monday is 0, as bits."""
    return sum(1 << day for day in set(days))


def days_in(bits: int) -> list[int]:
    """Return the days of the week that bits stand for, where Monday is 0."""
    return [day for day in range(_WEEK) if bits >> day & 1]


def is_on(day: date, bits: int) -> bool:
    """Return whether a day is one of those that bits stand for."""
    return bool(bits >> day.weekday() & 1)


def next_time(bits: int, moment: time, after: datetime) -> datetime:
    """Return the first time after ``after``, in its zone, on one of these days.

    A time that the clocks skip is as much later; of a time that comes twice, the first one counts, so that each day has
    one.

    Args:
        bits: days of the week, at least one.
        moment: time of the day, without a zone.
        after: a time with the zone of the person.

    Raises:
        OverflowError: the calendar ends before.
    """
    for ahead in range(_WEEK + 2):
        day = after.date() + timedelta(days=ahead)
        if is_on(day, bits) and (found := local_time(day, moment, after.tzinfo)).timestamp() > after.timestamp():
            return found
    raise ValueError("no day of the week is set")


def local_time(day: date, moment: time, zone: tzinfo | None) -> datetime:
    """Return a time of a day in a zone; one that the clocks skip is as much later, and of two equal ones the first.

    Raises:
        OverflowError: the calendar ends before.
    """
    return plus(datetime.combine(day, moment.replace(tzinfo=None, fold=0), zone), timedelta())


def plus(moment: datetime, span: timedelta) -> datetime:
    """Add a span as it passes; the arithmetic of datetime would add it to the clock on the wall."""
    return (moment.astimezone(UTC) + span).astimezone(moment.tzinfo)


def zone_named(name: str | None, usual: str) -> tzinfo:
    """Return the time zone that a person has chosen, or the usual one; UTC if the system knows neither."""
    for each in (name, usual):
        if each:
            with suppress(ValueError):
                return checks.zone(each)
    return UTC
