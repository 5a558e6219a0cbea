"""What a person has used: today, this month, in all, and by model."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db import usage
from tgllm.db.unit import Connection
from tgllm.services.days import day_of, first_day_of_month

__all__ = ["UsageReport", "usage_report"]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Sums of one person's usage."""

    today: usage.Total
    month: usage.Total
    ever: usage.Total
    models: Sequence[usage.ModelTotal]
    """Of all time, the most expensive first."""


def usage_report(conn: Connection, user_id: int, now: int) -> UsageReport:
    """What a person has used.

    Args:
        conn: to read from.
        user_id: Telegram's user id.
        now: UTC, in milliseconds; says which day and month it is.
    """
    return UsageReport(
        usage.total(conn, day_of(now), user_id),
        usage.total(conn, first_day_of_month(now), user_id),
        usage.total(conn, usage.EVER, user_id),
        usage.by_model(conn, usage.EVER, user_id),
    )
