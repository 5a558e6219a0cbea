"""Breakdown of all usage by person, model or day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import usage, users
from tgllm.db.tables.usage import Total
from tgllm.db.tables.users import User

__all__ = ["By", "UsageBreakdown", "UsageRow", "usage_breakdown"]

By = Literal["user", "model", "day"]


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Usage of one person, one model or one day."""

    key: str
    """A user id (0: the shell), ``provider/model``, or ``YYYY-MM-DD``."""
    total: Total
    user: User | None = None
    """The person, if known."""


@dataclass(frozen=True, slots=True)
class UsageBreakdown:
    """Rows, the most expensive first; days in order, days without usage included."""

    rows: Sequence[UsageRow]
    total: Total

    def shares(self) -> Sequence[float]:
        """Return each row's part of the largest row, from 0 to 1: by cost, or by tokens if nothing has a cost."""
        amounts = [self._amount(row.total) for row in self.rows]
        most = max(amounts, default=0)
        return [amount / most if most else 0.0 for amount in amounts]

    def _amount(self, total: Total) -> int:
        return total.cost_micros if self.total.cost_micros else total.input_tokens + total.output_tokens


def usage_breakdown(conn: Connection, by: By, since: str, until: str) -> UsageBreakdown:
    """Return the usage since a day.

    Args:
        conn: a connection for reading.
        by: what a row stands for.
        since: the first day, ``YYYY-MM-DD`` in the bot's time zone.
        until: today.
    """
    match by:
        case "user":
            rows = _by_user(conn, since)
        case "model":
            rows = _by_model(conn, since)
        case "day":
            rows = _by_day(conn, since, until)
    return UsageBreakdown(tuple(rows), usage.total(conn, since))


def _by_user(conn: Connection, since: str) -> Iterator[UsageRow]:
    for total in usage.by_user(conn, since):
        yield UsageRow(str(total.user_id), total, users.get(conn, total.user_id))


def _by_model(conn: Connection, since: str) -> Iterator[UsageRow]:
    from tgllm.db.queries import statistics  # noqa: PLC0415  the table by person does without it

    for total in statistics.by_model(conn, since):
        yield UsageRow(f"{total.provider}/{total.model}", total)


def _by_day(conn: Connection, since: str, until: str) -> Iterator[UsageRow]:
    from tgllm.db.queries import statistics  # noqa: PLC0415  the table by person does without it

    found = {total.day: total for total in statistics.by_day(conn, since)}
    # Begins with the first day that has usage.
    day, last = date.fromisoformat(min(found, default=until)), date.fromisoformat(until)
    while day <= last:
        yield UsageRow(day.isoformat(), found.get(day.isoformat(), Total(0, 0, 0, 0, 0)))
        day += timedelta(days=1)
