"""Days and months of UTC, as usage is counted."""

from datetime import UTC, datetime

__all__ = ["day_of", "first_day_of_month"]


def day_of(now: int) -> str:
    """The day of a time (UTC, in milliseconds since 1970), as ``YYYY-MM-DD``."""
    return _date(now).strftime("%Y-%m-%d")


def first_day_of_month(now: int) -> str:
    """The first day of the month of a time, in the same forms."""
    return _date(now).strftime("%Y-%m-01")


def _date(now: int) -> datetime:
    return datetime.fromtimestamp(now / 1000, UTC)
