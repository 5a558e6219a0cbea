"""Statistics for admins: by time, by model and by person."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

from tgllm.api import ModelRef
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import statistics
from tgllm.db.queries.statistics import Answered, DayTotal, Failed
from tgllm.db.tables import usage
from tgllm.db.tables.usage import Total
from tgllm.db.tables.users import Status
from tgllm.services.common.calendar import Days

__all__ = ["SPANS", "Latency", "Share", "Span", "Statistics", "models_of", "people_of", "statistics_of"]

SPANS: Final = (1, 7, 30)
"""Lengths of the spans that are summed, in days, today included."""
CHARTED: Final = 7
"""Days that are shown one by one."""
LATEST: Final = 1000
"""Calls of a model that latencies are computed from."""

K = TypeVar("K", ModelRef, int)


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of whole answers, in milliseconds."""

    median: int
    slow: int
    """The 95th percentile."""


@dataclass(frozen=True, slots=True)
class Span:
    """Figures of a span of days."""

    days: int
    people: int
    """People who called a model."""
    total: Total
    errors: int
    """Calls of a model that failed or were interrupted."""
    latency: Latency | None
    """Of the latest calls; None if none was answered."""


@dataclass(frozen=True, slots=True)
class Share(Generic[K]):
    """Share of one model or one person in the figures of a span of days."""

    name: K
    total: Total
    errors: int
    latency: Latency | None

    @property
    def weight(self) -> tuple[int, int]:
        """Sort key: millionths of a US dollar, then tokens for models without a price."""
        return self.total.cost_micros, self.total.input_tokens + self.total.output_tokens


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of the whole bot."""

    people: Mapping[Status, int]
    spans: Sequence[Span]
    days: Sequence[DayTotal]
    """The latest days in order, days without requests included."""


def statistics_of(conn: Connection, now: int, calendar: Days) -> Statistics:
    """Return the statistics of the whole bot.

    Args:
        conn: a connection for reading.
        now: UTC, in milliseconds.
        calendar: in the bot's time zone.
    """
    spans = [_span(conn, now, calendar, days) for days in SPANS]
    return Statistics(statistics.people(conn), spans, tuple(_by_day(conn, now, calendar)))


def models_of(conn: Connection, now: int, calendar: Days, days: int) -> Sequence[Share[ModelRef]]:
    """Return the share of each model in the last ``days`` days, the largest first."""
    day, began = _since(now, calendar, days)
    totals = {ModelRef(total.provider, total.model): total for total in statistics.by_model(conn, day)}
    return _shares(conn, began, totals, lambda call: ModelRef(call.provider, call.model))


def people_of(conn: Connection, now: int, calendar: Days, days: int) -> Sequence[Share[int]]:
    """Return the share of each person, by user id, in the last ``days`` days, the largest first."""
    day, began = _since(now, calendar, days)
    totals = {total.user_id: total for total in usage.by_user(conn, day)}
    return _shares(conn, began, totals, lambda call: call.user_id or usage.NO_USER)


def _shares(
    conn: Connection, began: int, totals: Mapping[K, Total], key: Callable[[Failed | Answered], K]
) -> Sequence[Share[K]]:
    errors, answers = Counter[K](), defaultdict[K, list[Answered]](list)
    for failed in statistics.failed(conn, began):
        errors[key(failed)] += failed.count
    for answer in statistics.answered(conn, began, LATEST):
        answers[key(answer)].append(answer)
    found = [Share(name, total, errors[name], _latency(answers[name])) for name, total in totals.items()]
    return sorted(found, key=lambda share: share.weight, reverse=True)


def _since(now: int, calendar: Days, days: int) -> tuple[str, int]:
    """Return the first of the last ``days`` days, as ``YYYY-MM-DD``, and its start (UTC, milliseconds)."""
    began = calendar.begin(now, days - 1)
    return f"{began:%Y-%m-%d}", int(began.timestamp() * 1000)


def _span(conn: Connection, now: int, calendar: Days, days: int) -> Span:
    day, began = _since(now, calendar, days)
    errors = sum(failed.count for failed in statistics.failed(conn, began))
    latency = _latency(statistics.answered(conn, began, LATEST))
    return Span(days, statistics.active_people(conn, day), usage.total(conn, day), errors, latency)


def _latency(answers: Sequence[Answered]) -> Latency | None:
    taken = [answer.latency_ms for answer in answers]
    if not taken:
        return None
    return Latency(taken[(len(taken) - 1) // 2], taken[-(-len(taken) * 95 // 100) - 1])


def _by_day(conn: Connection, now: int, calendar: Days) -> Iterator[DayTotal]:
    first = calendar.begin(now, CHARTED - 1)
    found = {total.day: total for total in statistics.by_day(conn, f"{first:%Y-%m-%d}")}
    for number in range(CHARTED):
        day = f"{first + timedelta(days=number):%Y-%m-%d}"
        yield found.get(day, DayTotal(0, 0, 0, 0, 0, day))
