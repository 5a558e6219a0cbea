"""When a job is due. APScheduler 3 reads the cron expressions and computes the times; it waits for nothing itself."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol, Self, cast

from apscheduler.triggers.cron import CronTrigger  # pyright: ignore[reportMissingTypeStubs]  it ships no types

from tgllm.api.errors import ConfigError
from tgllm.scheduler.weekdays import weekday_names

__all__ = ["Cron"]

_DAY = 86_400
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")


class _Trigger(Protocol):
    """What is used of APScheduler's CronTrigger."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first time that is due at ``now`` or later."""
        ...


class Cron:
    """A cron expression in a time zone."""

    def __init__(self, text: str, triggers: Sequence[_Trigger], zone: tzinfo) -> None:
        """Take what ``parse`` has made."""
        self.text = text
        self._triggers = triggers
        self._zone = zone

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Self:
        """Read five fields: minute, hour, day of the month, month, day of the week.

        As in Unix cron, 0 and 7 are Sunday, and where both days are restricted, either one is enough.

        Args:
            text: such as ``30 4 * * mon-fri``.
            zone: where the times are those of the wall clock.

        Raises:
            ConfigError: it is no cron expression, or it names a day that never comes.
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
        """The first time later than ``moment``; both are UTC in seconds since 1970. None where there is none."""
        due = (self._next(trigger, moment) for trigger in self._triggers)
        return min((time for time in due if time is not None), default=None)

    def _next(self, trigger: _Trigger, moment: float) -> float | None:
        """The next time of one trigger.

        The trigger counts on a clock on the wall that is never set: where clocks are, APScheduler 3 leaves out a whole
        day at times. What its times are in UTC is found out here.
        """
        offsets = [self._local(moment + away).utcoffset() or timedelta() for away in (-_DAY, 0, _DAY)]
        shift = max(offsets) - min(offsets)
        # Where clocks are set about now, what comes next may be written like what has been.
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
        """When the clock on the wall shows that.

        A time that is left out in spring comes as much later as clocks are set; of one that comes twice in autumn the
        first counts, and both where every hour does.
        """
        first, second = wall.replace(tzinfo=self._zone, fold=0), wall.replace(tzinfo=self._zone, fold=1)
        yield first.timestamp()
        if self._every_hour and second.timestamp() > first.timestamp():
            yield second.timestamp()

    @property
    def _every_hour(self) -> bool:
        return self.text.split()[1].startswith("*")


def _alternatives(fields: dict[str, str]) -> Iterable[dict[str, str]]:
    """The same times as expressions that need only one of the two kinds of days each."""
    if fields["day"].startswith("*") or fields["day_of_week"].startswith("*"):
        return (fields,)
    return (fields | {"day": "*"}, fields | {"day_of_week": "*"})


def _trigger(fields: dict[str, str]) -> _Trigger:
    return cast("_Trigger", CronTrigger(**fields, timezone=UTC))
