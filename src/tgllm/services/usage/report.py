"""One person's usage: today, this month, in total, and by model."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import usage
from tgllm.services.common.calendar import Days

__all__ = ["UsageReport", "usage_report"]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Sums of one person's usage."""

    today: usage.Total
    month: usage.Total
    ever: usage.Total
    models: Sequence[usage.ModelTotal]
    """In total, the most expensive first."""


def usage_report(conn: Connection, user_id: int, now: int, days: Days) -> UsageReport:
    """Return the usage of a person.

    Args:
        conn: a connection for reading.
        user_id: Telegram's user id.
        now: UTC, in milliseconds.
        days: in the bot's time zone.
    """
    return UsageReport(
        usage.total(conn, days.day(now), user_id),
        usage.total(conn, days.month(now), user_id),
        usage.total(conn, usage.EVER, user_id),
        usage.by_model(conn, usage.EVER, user_id),
    )
