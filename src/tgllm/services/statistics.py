"""What the admins see of how the bot is used: by time, by model and by person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tgllm.db import statistics, usage, users
from tgllm.db.statistics import DayTotal
from tgllm.db.unit import Connection
from tgllm.db.usage import Total, UserTotal
from tgllm.db.users import Status, User
from tgllm.services.days import Days

__all__ = ["SPANS", "Latency", "Span", "Statistics", "people_since", "since", "statistics_of"]

SPANS: Final = (1, 7, 30)
"""Days that figures are summed over, today included."""
CHARTED: Final = 7
"""Days that are shown one by one."""
LATEST: Final = 1000
"""Calls of a model that are looked at to say how long answers take."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long whole answers took, in milliseconds."""

    median: int
    slow: int
    """95 of 100 took no longer."""


@dataclass(frozen=True, slots=True)
class Span:
    """The figures of some days."""

    days: int
    people: int
    """Those who asked a model something."""
    total: Total
    errors: int
    """Calls of a model that failed or were interrupted."""
    latency: Latency | None
    """Of the latest calls; None where none was answered."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of the whole bot."""

    people: Mapping[Status, int]
    spans: Sequence[Span]
    days: Sequence[DayTotal]
    """The latest ones, the first day first, also those without any requests."""


def statistics_of(conn: Connection, now: int, calendar: Days) -> Statistics:
    """Sum all up.

    Args:
        conn: to read from.
        now: UTC, in milliseconds.
        calendar: says when days begin.
    """
    spans = [_span(conn, now, calendar, days) for days in SPANS]
    return Statistics(statistics.people(conn), spans, tuple(_by_day(conn, now, calendar)))


def since(now: int, calendar: Days, days: int) -> str:
    """The first of so many days that end today, as ``YYYY-MM-DD``."""
    return f"{calendar.begin(now, days - 1):%Y-%m-%d}"


def people_since(conn: Connection, day: str) -> Sequence[tuple[UserTotal, User | None]]:
    """What each person has used since a day, the most expensive first; None for those of whom no more is known."""
    return [(total, users.get(conn, total.user_id)) for total in usage.by_user(conn, day)]


def _span(conn: Connection, now: int, calendar: Days, days: int) -> Span:
    day, began = since(now, calendar, days), int(calendar.begin(now, days - 1).timestamp() * 1000)
    return Span(
        days,
        statistics.active_people(conn, day),
        usage.total(conn, day),
        statistics.failed_requests(conn, began),
        _latency(statistics.latencies(conn, began, LATEST)),
    )


def _latency(taken: Sequence[int]) -> Latency | None:
    if not taken:
        return None
    return Latency(taken[(len(taken) - 1) // 2], taken[-(-len(taken) * 95 // 100) - 1])


def _by_day(conn: Connection, now: int, calendar: Days) -> Iterator[DayTotal]:
    first = calendar.begin(now, CHARTED - 1)
    found = {total.day: total for total in statistics.by_day(conn, since(now, calendar, CHARTED))}
    for number in range(CHARTED):
        day = f"{first + timedelta(days=number):%Y-%m-%d}"
        yield found.get(day, DayTotal(0, 0, 0, 0, 0, day))
