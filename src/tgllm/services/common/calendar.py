"""Days and months of the bot's time zone, as usage is counted and budgets begin anew."""

from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["Days"]


class Days:
    """The calendar on the bot's wall."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Have days begin at midnight of that zone."""
        self._zone = zone

    def day(self, now: int) -> str:
        """The day of a time (UTC, in milliseconds since 1970), as ``YYYY-MM-DD``."""
        return self._local(now).strftime("%Y-%m-%d")

    def month(self, now: int) -> str:
        """The first day of the month of a time, in the same forms."""
        return self._local(now).strftime("%Y-%m-01")

    def begin(self, now: int, days: int = 0) -> datetime:
        """When the day of a time began, or the one that many days before it, on the clock on the wall."""
        return self._midnight(self._local(now) - timedelta(days=days))

    def day_end(self, now: int) -> datetime:
        """When the next day begins, on the clock on the wall."""
        return self._midnight(self._local(now) + timedelta(days=1))

    def month_end(self, now: int) -> datetime:
        """When the next month begins, on the clock on the wall."""
        # No month has more than 31 days, and none fewer than 4 after the 28th.
        return self._midnight(self._local(now).replace(day=28) + timedelta(days=4)).replace(day=1)

    @property
    def zone(self) -> str:
        """The name of the zone, such as ``Europe/Berlin``."""
        return str(self._zone)

    def told(self, moment: datetime) -> str:
        """A time of that zone as people read it in any language."""
        return f"{moment:%Y-%m-%d %H:%M} ({self._zone})"

    def _local(self, now: int) -> datetime:
        return datetime.fromtimestamp(now / 1000, self._zone)

    def _midnight(self, moment: datetime) -> datetime:
        return datetime(moment.year, moment.month, moment.day, tzinfo=self._zone)
