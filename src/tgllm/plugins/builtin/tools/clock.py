"""Dates and times for models: now in a time zone, the weekday of a date, and the time between two dates."""

import calendar
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["CannotTell", "Moments", "moment", "told", "zone_of"]

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE | re.ASCII)
_MOST_YEARS: Final = 1000
_DAYS: Final = {"days": 1, "weeks": 7}


class CannotTell(Exception):
    """The arguments name no time; the message says why and what may be done."""


def told(arguments: Mapping[str, object], now: float, zone: str | None, default: tzinfo) -> str:
    """Return what the clock tells for a call.

    Args:
        arguments: ``timezone``, ``date``, ``until``, ``add`` and ``unit``, all optional.
        now: UTC, in seconds.
        zone: name of the time zone of the person; None: the default.
        default: time zone of the bot.

    Raises:
        CannotTell: the arguments name no time.
    """
    place = _zone(arguments.get("timezone"), zone, default)
    at, until = _moment(arguments.get("date"), place), _moment(arguments.get("until"), place)
    count = arguments.get("add")
    shift = (int(count), str(arguments.get("unit") or "days")) if isinstance(count, int | float) else None
    return Moments(datetime.fromtimestamp(now, place)).about(at, until, shift)


def _zone(wanted: object, own: str | None, default: tzinfo) -> tzinfo:
    if isinstance(wanted, str) and wanted.strip():
        return zone_of(wanted)
    # The zone of the person may be of a newer time zone database.
    with suppress(CannotTell):
        return default if own is None else zone_of(own)
    return default


def _moment(text: object, zone: tzinfo) -> datetime | None:
    return moment(text, zone) if isinstance(text, str) and text.strip() else None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name, or by its offset such as ``UTC+3``.

    Raises:
        CannotTell: there is none.
    """
    if found := _OFFSET.fullmatch(name.strip()):
        sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset < timedelta(hours=24):
            return timezone(offset if sign == "+" else -offset)
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):
        raise CannotTell(
            f"{name!r} is no time zone; use an IANA name such as Europe/Berlin, or an offset such as UTC+3"
        ) from None


def moment(text: str, zone: tzinfo) -> datetime:
    """Return the time that a text in ISO 8601 names; one without an offset is in ``zone``.

    Raises:
        CannotTell: it is no date.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CannotTell(f"{text!r} is no date; write it as 2030-12-24 or 2030-12-24T18:30") from None
    return parsed.replace(tzinfo=zone) if parsed.tzinfo is None else parsed


@dataclass(frozen=True, slots=True)
class Moments:
    """Answers about times, seen from now in a time zone."""

    now: datetime

    def about(self, at: datetime | None, until: datetime | None, shift: tuple[int, str] | None) -> str:
        """Return lines for a model.

        Args:
            at: a date; None: now.
            until: a second date, to which the time from ``at`` is counted.
            shift: how many ``days``, ``weeks``, ``months`` or ``years`` are added to ``at``.

        Raises:
            CannotTell: the result is no date of the calendar.
        """
        begin = self.now if at is None else at
        lines = [f"Now: {_described(self.now)}"]
        if at is not None:
            lines += [f"Date: {_described(at)}", f"From now: {_between(self.now, at)}"]
        if shift is not None:
            lines.append(f"After {shift[0]} {shift[1]}: {_described(_shifted(begin, *shift))}")
        if until is not None:
            lines += [f"Second date: {_described(until)}", f"From the first to the second: {_between(begin, until)}"]
        return "\n".join(lines)


def _described(at: datetime) -> str:
    year, week, _ = at.isocalendar()
    offset = at.strftime("%z")
    zone = f"UTC{offset[:3]}:{offset[3:5]}"
    name = getattr(at.tzinfo, "key", "")
    place = f"{name}, {zone}" if name else zone
    return f"{calendar.day_name[at.weekday()]} {at:%Y-%m-%d %H:%M:%S} ({place}), ISO week {week} of {year}"


def _between(first: datetime, second: datetime) -> str:
    """Return the time between two moments: calendar days, and hours and minutes where these are no whole days."""
    days = (second.date() - first.date()).days
    # Within one time zone, Python subtracts what the clocks show, which a change to summer time makes wrong.
    shown = second.replace(tzinfo=None) - first.replace(tzinfo=None)
    exact = shown - ((second.utcoffset() or timedelta()) - (first.utcoffset() or timedelta()))
    seconds = abs(int(exact.total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    sign = "-" if exact < timedelta() else ""
    return f"calendar days: {days}; exactly: {sign}{hours // 24}d {hours % 24}h {minutes}min"


def _shifted(begin: datetime, count: int, unit: str) -> datetime:
    if abs(count) > _MOST_YEARS * 366:
        raise CannotTell(f"{count} {unit} are too many")
    try:
        if unit in _DAYS:
            return begin + timedelta(days=count * _DAYS[unit])
        months = begin.year * 12 + begin.month - 1 + count * (12 if unit == "years" else 1)
        year, month = months // 12, months % 12 + 1
        # The last day of a shorter month: a month after January 31 is February 28.
        last = calendar.monthrange(year, month)[1]
        return begin.replace(year=year, month=month, day=min(begin.day, last))
    except (ValueError, OverflowError):
        raise CannotTell(f"{count} {unit} lead out of the years 1 to 9999") from None
