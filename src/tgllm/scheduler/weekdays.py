"""Conversion of cron's weekday numbers into the names that APScheduler 3 accepts.

APScheduler 3 numbers the days from Monday (apscheduler.triggers.cron: "The first weekday is always monday"), cron from
Sunday. The names have the same meaning in both.
"""

__all__ = ["weekday_names"]

_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEK = len(_NAMES)


def weekday_names(field: str) -> str:
    """Return the field as a list of names; ``*`` is returned unchanged.

    Args:
        field: numbers from 0 to 7 (0 and 7 are Sunday), names, ranges, steps and lists of these.

    Raises:
        ValueError: the field is invalid.
    """
    if field == "*":
        return field
    days = {day for item in field.lower().split(",") for day in _days(item)}
    return ",".join(_NAMES[day] for day in sorted(days))


def _days(item: str) -> list[int]:
    """Return the days of one item of the list; Sunday is 0."""
    span, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and int(step)):
        raise ValueError(f"{item!r} is no step of days of the week")
    first, last = _bounds(span, open_end=bool(slash))
    return [day % _WEEK for day in range(first, last + 1, int(step or 1))]


def _bounds(span: str, *, open_end: bool) -> tuple[int, int]:
    if span == "*":
        return 0, _WEEK - 1
    start, dash, end = span.partition("-")
    first = _number(start)
    if not dash:
        return first, _WEEK - 1 if open_end else first
    last = _number(end)
    # A range such as fri-mon crosses the end of the week.
    return first, last if last >= first else last + _WEEK


def _number(text: str) -> int:
    if text in _NAMES:
        return _NAMES.index(text)
    if text.isdecimal() and int(text) <= _WEEK:
        return int(text)
    raise ValueError(f"{text!r} is no day of the week: write 0 to 7, or {', '.join(_NAMES)}")
