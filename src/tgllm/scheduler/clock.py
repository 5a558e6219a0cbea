"""Due times of cron expressions, computed with APScheduler 3; its own scheduler is not used."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol, Self, cast

from apscheduler.triggers.cron import CronTrigger  # pyright: ignore[reportMissingTypeStubs]  it ships no types

from tgllm.api.errors import ConfigError
from tgllm.config.checks import zone
from tgllm.scheduler.weekdays import weekday_names

__all__ = ["Cron", "backup_times", "refresh_times"]

OFF = "off"

_DAY = 86_400
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")


class _Trigger(Protocol):
    """The used part of APScheduler's CronTrigger."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the first due time that is not before ``now``."""
        ...


class Cron:
    """Cron expression in a time zone."""

    def __init__(self, text: str, triggers: Sequence[_Trigger], zone: tzinfo) -> None:
        """Create an expression from its parts; call ``parse`` instead."""
        self.text = text
        self._triggers = triggers
        self._zone = zone

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Self:
        """Parse five fields: minute, hour, day of the month, month, day of the week.

        As in Unix cron, 0 and 7 are Sunday, and if both day fields are restricted, a match of either one is enough.

        Args:
            text: an expression such as ``30 4 * * mon-fri``.
            zone: the time zone of its times.

        Raises:
            ConfigError: it is no cron expression, or it never matches, such as February 30.
        """
        values = text.split()
        if len(values) != len(_FIELDS):
            raise ConfigError(
                f"{text!r} is no cron expression: it has {len(values)} fields instead of {len(_FIELDS)} (minute, hour, "
                "day of the month, month, day of the week), such as 0 4 * * *"
            )
        try:
            fields: dict[str, str] = dict(zip(_FIELDS, values, strict=True))
            fields["day_of_week"] = weekday_names(fields["day_of_week"])
            made = cls(text, [_trigger(one) for one in _alternatives(fields)], zone)
        except ValueError as error:
            raise ConfigError(f"{text!r} is no cron expression: {error}; write one such as 0 4 * * *") from None
        if made.next_after(0.0) is None:
            raise ConfigError(f"{text!r} names a day that never comes")
        return made

    def next_after(self, moment: float) -> float | None:
        """Return the first due time after ``moment``, both UTC in seconds since 1970; None if there is none."""
        due = (self._next(trigger, moment) for trigger in self._triggers)
        return min((time for time in due if time is not None), default=None)

    def _next(self, trigger: _Trigger, moment: float) -> float | None:
        """Return the next due time of one trigger.

        The trigger computes local times as if they were UTC, and they are converted here: with a real time zone,
        APScheduler 3 sometimes skips a whole day when the clocks change. Near such a change, a later local time can be
        an earlier moment, so all local times within the shift are compared.
        """
        offsets = [self._local(moment + away).utcoffset() or timedelta() for away in (-_DAY, 0, _DAY)]
        shift = max(offsets) - min(offsets)
        # When clocks are set back, the next moments have local times that have already passed once.
        wall: datetime | None = self._local(moment).replace(tzinfo=UTC, fold=0) - shift
        found: float | None = None
        while (wall := trigger.get_next_fire_time(None, wall)) is not None:
            if found is not None and (not shift or (wall - max(offsets)).timestamp() >= found):
                break
            found = min(
                [time for time in (found, *self._moments(wall)) if time is not None and time > moment], default=None
            )
            wall += timedelta(seconds=1)
        return found

    def _local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, UTC).astimezone(self._zone)

    def _moments(self, wall: datetime) -> Iterator[float]:
        """Yield the moments of a local time, UTC in seconds since 1970.

        A time that is skipped when clocks are set forward is due later by the length of the gap. Of a time that occurs
        twice when they are set back, the first occurrence counts, or both if the hour field starts with ``*``.
        """
        first, second = wall.replace(tzinfo=self._zone, fold=0), wall.replace(tzinfo=self._zone, fold=1)
        yield first.timestamp()
        if self._every_hour and second.timestamp() > first.timestamp():
            yield second.timestamp()

    @property
    def _every_hour(self) -> bool:
        return self.text.split()[1].startswith("*")


def refresh_times(cron: str, time_zone: str) -> Cron | None:
    """Return the times at which the model lists are refreshed; None if that is disabled.

    Raises:
        ConfigError: the cron expression is invalid.
    """
    return _times("refresh_cron (REFRESH_CRON)", cron, time_zone)


def backup_times(cron: str, time_zone: str) -> Cron | None:
    """Return the times of the backups; None if there are none.

    Raises:
        ConfigError: the cron expression is invalid.
    """
    return _times("backups.schedule (TGLLM_BACKUPS__SCHEDULE)", cron, time_zone)


def _times(key: str, cron: str, time_zone: str) -> Cron | None:
    if cron.lower() == OFF:
        return None
    try:
        return Cron.parse(cron, zone(time_zone))
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from None


def _alternatives(fields: dict[str, str]) -> Iterable[dict[str, str]]:
    """Split an expression that restricts both day fields into two: APScheduler requires both to match, cron either."""
    if fields["day"].startswith("*") or fields["day_of_week"].startswith("*"):
        return (fields,)
    return (fields | {"day": "*"}, fields | {"day_of_week": "*"})


def _trigger(fields: dict[str, str]) -> _Trigger:
    return cast("_Trigger", CronTrigger(**fields, timezone=UTC))
