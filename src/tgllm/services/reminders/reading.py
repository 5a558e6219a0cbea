"""Reads what people write behind ``/remind``: a time, or a rule of times, and the text or question behind it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from tgllm.services.reminders.rules import day_bits, local_time, next_time, plus
from tgllm.services.reminders.vocabulary import (
    DAY_NAMES,
    DAY_SETS,
    DAYS,
    HALVES,
    PARTS_OF_DAYS,
    SECONDS,
    WEEKDAY_NAMES,
)

__all__ = ["Wanted", "read_reminder"]

_MORNING: Final = time(9)
"""The time of a day that is named without one."""
_MOST_HOURS: Final = 24
_HALF_DAY: Final = 12
_LATEST_NIGHT: Final = 5


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


_END = r"(?![^\W\d_])"
_FLAGS = re.IGNORECASE
_IN = re.compile(r"(?:in|after|через)\s+", _FLAGS)
_SPAN = re.compile(rf"([0-9]{{1,6}})\s?({_any([*SECONDS, *DAYS])}){_END}\.?\s*(?:(?:and|и)\s+(?=[0-9]))?", _FLAGS)
_ONE = re.compile(rf"(?:an?\s+)?({_any([*SECONDS, *DAYS])}){_END}\s*", _FLAGS)
_DAY = re.compile(
    rf"(?:on\s+|во?\s+)?({_any(DAY_NAMES)}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_END}(?![0-9-]),?\s*", _FLAGS
)
_ON = re.compile(rf"(?:(?:on|next|this|во?|следующ\w{{2,3}})\s+)?({_any(WEEKDAY_NAMES)}){_END},?\s*", _FLAGS)
_EVERY = re.compile(r"(?:every|each|on|кажд(?:ый|ую|ое|ые)|по)\s+", _FLAGS)
_DAILY = re.compile(rf"(?:daily|ежедневно){_END},?\s*", _FLAGS)
_SET = re.compile(rf"({_any([*DAY_SETS, *WEEKDAY_NAMES])}){_END}(?:\s+(?:день|дни))?", _FLAGS)
_AND = re.compile(r"\s*(?:,|and|и|&)\s*(?:кажд(?:ый|ую|ое|ые)\s+)?", _FLAGS)
_CLOCK = re.compile(
    rf"(at\s+|во?\s+|@\s*)?([0-9]{{1,2}})(?:[:.]([0-9]{{2}}))?(?![0-9]|[:.][0-9])"
    rf"(?:\s?(?:o['’]clock|час(?:а|ов)?|ч){_END}\.?)?\s?(?:({_any(HALVES)}){_END})?(?=[\s,:;]|\.(?:\s|$)|$)\.?\s*",
    _FLAGS,
)
_CLOCK_BEGUN = r"(?:at\s+|во?\s+|@\s*)[0-9]{1,2}(?![0-9])"
_UNREAD = re.compile(
    rf"(?:(?:at|in|the|this|в)\s+)*(?:{_any(PARTS_OF_DAYS)}){_END}"
    rf"|{_CLOCK_BEGUN}|[0-9]{{1,2}}[:.][0-9]{{2}}|во?\s+час{_END}|(?:except|кроме){_END}",
    _FLAGS,
)
"""A time that is not understood, where one may stand: it must not become a text that is sent at another time."""
_UNREAD_BEHIND = re.compile(rf"(?:(?:at|in|the)\s+)+(?:{_any(PARTS_OF_DAYS)}){_END}", _FLAGS)
"""The same behind a time of day."""
_CLOCK_BEHIND = re.compile(_CLOCK_BEGUN, _FLAGS)
_DATE_READ = re.compile(r"[0-9]{1,2}\.[0-9]{2}\s+$")
"""A time of day that is a date if another time follows: ``5.12 at 9``."""
_ASK = re.compile(r"(?:please\s+)?(?:ask|спроси(?:ть)?|спрашивай|спрашивать)(?:\s*[:,]\s*|\s+)", _FLAGS)
_FILLER = re.compile(r"(?:[:,;—–-]+\s*|(?:to|что|о том,? что)\s+)", _FLAGS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to be reminded of, or to be asked."""

    due: datetime
    """The first time, in the zone of the person."""
    text: str
    """Empty if the person has written only the time."""
    is_prompt: bool = False
    """Whether the model is asked the text."""
    days: int = 0
    """Days of the week as bits, see ``rules``; 0: once."""
    clock: time = _MORNING
    """Time of the day of a rule. It differs from that of ``due`` where the clocks skip it."""

    @property
    def minute(self) -> int | None:
        """Minute of the day at which it is repeated; None for once."""
        return self.clock.hour * 60 + self.clock.minute if self.days else None


def read_reminder(words: str, now: float, zone: tzinfo) -> Wanted | None:
    """Read a time and the text behind it; None if the words don't begin with a time.

    Hours and minutes are counted as they pass, days and weeks by the calendar, also where clocks change in between.

    Args:
        words: what the person wrote behind the command.
        now: the time of the message, in seconds since 1970.
        zone: the person's time zone.

    Raises:
        OverflowError: the time is too far away for a calendar.
    """
    words = words.strip()
    local = datetime.fromtimestamp(now, zone)
    return _repeated(words, local) or _after_a_span(words, local) or _at_a_time(words, local)


def _repeated(words: str, now: datetime) -> Wanted | None:
    if daily := _DAILY.match(words):
        bits, place = DAY_SETS["day"], daily.end()
    elif every := _EVERY.match(words):
        bits, place = _days(words, every.end(), needs_plural=every[0].strip().lower() in {"on", "по"})
    else:
        bits, place = _days(words, 0, needs_plural=True)
    if not bits:
        return None
    moment, place = _clock(words, place)
    if _is_misread(words, place, moment):
        return None
    clock = moment or _MORNING
    return _with_text(next_time(bits, clock, now), words[place:], bits, clock)


def _days(words: str, place: int, *, needs_plural: bool) -> tuple[int, int]:
    """Return days of the week as bits and the place behind them; no bits if there are none.

    Args:
        words: what the person wrote.
        place: where the days begin.
        needs_plural: whether only words such as ``mondays`` mean a rule, since ``on monday`` is a single day.
    """
    bits = 0
    while found := _SET.match(words, place):
        name = found[1].lower()
        if needs_plural and not _is_plural(name):
            return 0, place
        bits |= DAY_SETS.get(name) or day_bits([WEEKDAY_NAMES[name]])
        place = found.end()
        if (joined := _AND.match(words, place)) is None or _SET.match(words, joined.end()) is None:
            break
        place = joined.end()
    return bits, _past_space(words, place)


def _is_plural(name: str) -> bool:
    return name.endswith(("days", "ends", "ам", "ям", "ым", "будни"))


def _past_space(words: str, place: int) -> int:
    while place < len(words) and words[place] in " ,\n\t":
        place += 1
    return place


def _after_a_span(words: str, now: datetime) -> Wanted | None:
    begun = _IN.match(words)
    place = begun.end() if begun else 0
    if begun and (one := _ONE.match(words, place)):
        return _at_its_time(words, one.end(), now, [(1, one[1].lower())])
    spans: list[tuple[int, str]] = []
    largest = timedelta.max
    # Units become smaller: the second number of "20m 5 minutes left" belongs to the text.
    while (found := _SPAN.match(words, place)) and (size := _size(found[2].lower())) < largest:
        largest, place = size, found.end()
        spans.append((int(found[1]), found[2].lower()))
    if not any(count for count, _ in spans):
        return None
    return _at_its_time(words, place, now, spans)


def _at_its_time(words: str, place: int, now: datetime, spans: Sequence[tuple[int, str]]) -> Wanted | None:
    """Return what is wanted after a span; of days, at the time that follows, as in ``in 2 days at 9``."""
    due = _later(now, spans)
    if not all(unit in DAYS for _, unit in spans):
        return _with_text(due, words[place:])
    place = _past_space(words, place)
    moment, place = _clock(words, place, needs_colon=True)
    if _is_misread(words, place, moment):
        return None
    return _with_text(due if moment is None else local_time(due.date(), moment, now.tzinfo), words[place:])


def _is_misread(words: str, place: int, moment: time | None) -> bool:
    """Return whether a time that is not understood stands at a place, behind a time of day or where it may stand."""
    if moment is None:
        return _UNREAD.match(words, place) is not None
    if _UNREAD_BEHIND.match(words, place):
        return True
    return bool(_DATE_READ.search(words[:place]) and _CLOCK_BEHIND.match(words, place))


def _later(now: datetime, spans: Iterable[tuple[int, str]]) -> datetime:
    days = sum(count * DAYS.get(unit, 0) for count, unit in spans)
    seconds = sum(count * SECONDS.get(unit, 0) for count, unit in spans)
    begin = local_time(now.date() + timedelta(days=days), now.time(), now.tzinfo) if days else now
    return plus(begin, timedelta(seconds=seconds))


def _size(unit: str) -> timedelta:
    return timedelta(DAYS.get(unit, 0), SECONDS.get(unit, 0))


def _at_a_time(words: str, now: datetime) -> Wanted | None:
    day, place = _day(words, now.date())
    moment, place = _clock(words, place, needs_colon=day is None)
    if day is None and moment is None:
        return None
    if _is_misread(words, place, moment):
        return None
    found = _on(day, moment or _MORNING, now)
    return None if found is None else _with_text(found, words[place:])


def _on(day: date | None, moment: time, now: datetime) -> datetime | None:
    """Return the time on a day, None as the day being the next day on which it is not over."""
    if day is not None:
        return local_time(day, moment, now.tzinfo)
    due = local_time(now.date(), moment, now.tzinfo)
    return due if due.timestamp() > now.timestamp() else local_time(now.date() + timedelta(days=1), moment, now.tzinfo)


def _day(words: str, today: date) -> tuple[date | None, int]:
    """Return the day with which the words begin, and the place behind it; None for none."""
    if found := _DAY.match(words):
        name = found[1].lower()
        if name in DAY_NAMES:
            return today + timedelta(days=DAY_NAMES[name]), found.end()
        try:
            return date.fromisoformat(name), found.end()
        except ValueError:
            return None, 0
    if found := _ON.match(words):
        # A weekday is never today: "on Monday", said on a Monday, is a week away.
        ahead = (WEEKDAY_NAMES[found[1].lower()] - today.weekday() - 1) % 7 + 1
        return today + timedelta(days=ahead), found.end()
    return None, 0


def _clock(words: str, place: int, *, needs_colon: bool = False) -> tuple[time | None, int]:
    """Return the time of day at a place, and the place behind it; None for none.

    Args:
        words: what the person wrote.
        place: where it would be.
        needs_colon: whether a bare number without ``at`` is none.
    """
    found = _CLOCK.match(words, place)
    if found is None or (needs_colon and not (found[1] or found[3] or found[4])):
        return None, place
    hour, minute, half = int(found[2]), int(found[3] or 0), " ".join((found[4] or "").lower().split())
    if half:
        # "11 ночи" is late in the evening for some.
        if not 1 <= hour <= _HALF_DAY or (half == "ночи" and _LATEST_NIGHT < hour < _HALF_DAY):
            return None, place
        hour = hour % _HALF_DAY + HALVES[half]
    return (time(hour, minute), found.end()) if hour < _MOST_HOURS and minute < 60 else (None, place)


def _with_text(due: datetime, rest: str, days: int = 0, clock: time = _MORNING) -> Wanted:
    text = rest.strip()
    if filler := _FILLER.match(text):
        text = text[filler.end() :].strip()
    asked = _ASK.match(text)
    return Wanted(due, text[asked.end() :].strip() if asked else text, asked is not None, days, clock)
