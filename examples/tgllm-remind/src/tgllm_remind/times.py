"""Reads times as people write them: ``20m``, ``1h 30m``, ``18:30``, ``tomorrow 9:00``, ``2026-12-24 18:00``."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

__all__ = ["When", "parse_when"]

_SECONDS: Final = {
    1: "s sec secs second seconds с сек секунд секунду секунды",
    60: "m min mins minute minutes м мин минут минуту минуты",
    3600: "h hr hrs hour hours ч час часа часов",
}
_DAYS: Final = {
    1: "d day days д день дня дней",
    7: "w week weeks н нед неделю недели недель",
}
_SECONDS_OF: Final = {word: seconds for seconds, words in _SECONDS.items() for word in words.split()}
_DAYS_OF: Final = {word: days for days, words in _DAYS.items() for word in words.split()}
_DAY_NAMES: Final = {"today": 0, "сегодня": 0, "tomorrow": 1, "завтра": 1}
_ANY: Final = timedelta.max
_MORNING: Final = time(9)
"""The time of a day that is named without one."""

_UNITS: Final = "|".join(sorted([*_SECONDS_OF, *_DAYS_OF], key=len, reverse=True))
_PREFIX: Final = re.compile(r"(?:in|at|on|через|в|во)\s+(?=\S)", re.IGNORECASE)
_SPAN: Final = re.compile(rf"([0-9]{{1,9}})\s?({_UNITS})(?![^\W\d_])\.?\s*", re.IGNORECASE)
_DAY: Final = re.compile(rf"({'|'.join(_DAY_NAMES)}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?!\S)\s*", re.IGNORECASE)
_CLOCK: Final = re.compile(
    r"(?:(?:at|в)\s+)?(?:([0-9]{1,2}):([0-9]{2})(?:\s?([ap]m))?|([0-9]{1,2})\s?([ap]m))(?!\S)\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class When:
    """A time, and the text behind it."""

    due: datetime
    """In the zone of the person."""
    text: str


def parse_when(words: str, now: float, zone: tzinfo) -> When | None:
    """Read a time and the text behind it; None if the words don't begin with a time.

    Hours and minutes are counted as they pass, days and weeks by the calendar: ``1d`` is the same time of the next day,
    also where clocks change in between. A time that the clocks skip is that much later; of one that comes twice, the
    first one that is not over is meant.

    Args:
        words: what the person wrote.
        now: the time of the message, in seconds since 1970.
        zone: the person's time zone.

    Raises:
        OverflowError: the time is too far away for a calendar.
    """
    words = words.strip()
    if found := _PREFIX.match(words):
        words = words[found.end() :]
    local = datetime.fromtimestamp(now, zone)
    return _after_a_span(words, local) or _at_a_time(words, local)


def _after_a_span(words: str, now: datetime) -> When | None:
    place = seconds = days = 0
    largest = _ANY
    # Units become smaller: the second number of "20m 5 minutes left" belongs to the text.
    while (found := _SPAN.match(words, place)) and (size := _size(found[2].lower())) < largest:
        largest, place = size, found.end()
        days += int(found[1]) * size.days
        seconds += int(found[1]) * size.seconds
    if not seconds and not days:
        return None
    later = _on(now.date() + timedelta(days=days), now.time(), now) if days else now
    return When(_plus(later, timedelta(seconds=seconds)), words[place:])


def _size(unit: str) -> timedelta:
    return timedelta(_DAYS_OF.get(unit, 0), _SECONDS_OF.get(unit, 0))


def _at_a_time(words: str, now: datetime) -> When | None:
    day = _DAY.match(words)
    place = day.end() if day else 0
    clock = _CLOCK.match(words, place)
    moment = _clock_time(clock) if clock else _MORNING if day else None
    if moment is None:
        return None
    rest = words[clock.end() if clock else place :]
    if day:
        named = _named_day(day[1].lower(), now.date())
        return When(_on(named, moment, now), rest) if named else None
    due = _on(now.date(), moment, now)
    if due.timestamp() <= now.timestamp():
        due = _on(now.date() + timedelta(days=1), moment, now)
    return When(due, rest)


def _named_day(name: str, today: date) -> date | None:
    if name in _DAY_NAMES:
        return today + timedelta(days=_DAY_NAMES[name])
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def _clock_time(found: re.Match[str]) -> time | None:
    hour, minute, half = int(found[1] or found[4]), int(found[2] or 0), (found[3] or found[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _on(day: date, moment: time, now: datetime) -> datetime:
    """Return the time of a day in the zone of ``now``: of a time that comes twice, the first that is not over."""
    wall = datetime.combine(day, moment.replace(tzinfo=None, fold=0), now.tzinfo)
    first, second = (_plus(wall.replace(fold=fold), timedelta()) for fold in (0, 1))
    is_twice = first.timestamp() < second.timestamp() and first.time() == second.time()
    return second if is_twice and first.timestamp() <= now.timestamp() else first


def _plus(moment: datetime, span: timedelta) -> datetime:
    """Add a span as it passes; the arithmetic of datetime would add it to the clock on the wall."""
    return (moment.astimezone(UTC) + span).astimezone(moment.tzinfo)
