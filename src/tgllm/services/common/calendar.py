"""Calendar in the bot's time zone, by which usage is counted and budgets are reset."""

from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["Days"]


class Days:
    """Calendar of one time zone. Times are given as UTC in milliseconds since 1970."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Use a time zone; days begin at its midnight."""
        self._zone = zone

    def day(self, now: int) -> str:
        """Return the day of a time, as ``YYYY-MM-DD``."""
        return self._local(now).strftime("%Y-%m-%d")

    def month(self, now: int) -> str:
        """Return the first day of the month of a time, as ``YYYY-MM-DD``."""
        return self._local(now).strftime("%Y-%m-01")

    def begin(self, now: int, days: int = 0) -> datetime:
        """Return the start of the day of a time, or of the day ``days`` days before it, in local time."""
        return self._midnight(self._local(now) - timedelta(days=days))

    def day_end(self, now: int) -> datetime:
        """Return the start of the next day, in local time."""
        return self._midnight(self._local(now) + timedelta(days=1))

    def month_end(self, now: int) -> datetime:
        """Return the start of the next month, in local time."""
        # Months have 28 to 31 days, so the 28th and 4 days is always in the next month.
        return self._midnight(self._local(now).replace(day=28) + timedelta(days=4)).replace(day=1)

    @property
    def zone(self) -> str:
        """Name of the zone, such as ``Europe/Berlin``."""
        return str(self._zone)

    def told(self, moment: datetime) -> str:
        """Format a time of that zone for people, in a form that needs no translation."""
        return f"{moment:%Y-%m-%d %H:%M} ({self._zone})"

    def _local(self, now: int) -> datetime:
        return datetime.fromtimestamp(now / 1000, self._zone)

    def _midnight(self, moment: datetime) -> datetime:
        return datetime(moment.year, moment.month, moment.day, tzinfo=self._zone)
