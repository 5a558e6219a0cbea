"""Lengths of time in words that people use."""

import math
from typing import NamedTuple

from tgllm.i18n.catalogue import Catalogue

__all__ = ["duration", "from_now", "short_duration"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class _Unit(NamedTuple):
    key: str
    seconds: int


_UNITS = (_Unit("duration.days", _DAY), _Unit("duration.hours", _HOUR), _Unit("duration.minutes", _MINUTE))
_SHORT_UNITS = (_Unit("duration.short_hours", _HOUR), _Unit("duration.short_minutes", _MINUTE))
_FEW = 2
"""A unit is used from so many of it on: 90 seconds, 2 minutes, 90 minutes, 2 hours."""
_TOMORROW = 23.5 * _HOUR, 30 * _HOUR
"""Waits that end tomorrow, at almost any time of day."""
_MONTH = 45 * _DAY
_LONGEST = 36_500 * _DAY


def duration(texts: Catalogue, seconds: float, language: str = "") -> str:
    """Return a length of time, rounded up: "45 seconds", "5 minutes", "3 hours", "2 days"."""
    seconds = min(seconds, _LONGEST)
    for key, unit in _UNITS:
        if seconds >= _FEW * unit:
            return texts(key, language, count=math.ceil(seconds / unit))
    return texts("duration.seconds", language, count=max(1, math.ceil(seconds)))


def from_now(texts: Catalogue, seconds: float, language: str = "") -> str:
    """Return when a wait is over: "in 45 seconds", "in 5 minutes", "in about 3 hours", "tomorrow", "in about 2 days".

    Args:
        texts: the catalogue.
        seconds: length of the wait; may be infinite.
        language: language of the words.
    """
    if seconds > _MONTH:
        return texts("duration.far", language)
    if _TOMORROW[0] <= seconds <= _TOMORROW[1]:
        return texts("duration.tomorrow", language)
    for key, unit in _UNITS[:2]:
        if seconds >= _FEW * unit:
            time = texts(key, language, count=round(seconds / unit))
            return texts("duration.about", language, time=time)
    return texts("duration.later", language, time=duration(texts, seconds, language))


def short_duration(texts: Catalogue, seconds: float, language: str = "", *, digits: int = 0) -> str:
    """Return a length of time with abbreviated units, rounded down: "45 s", "5 min", "3 h".

    Args:
        texts: the catalogue.
        seconds: the length.
        language: language of the units.
        digits: decimals of the seconds.
    """
    for key, unit in _SHORT_UNITS:
        if seconds >= _FEW * unit:
            return texts(key, language, number=math.floor(seconds / unit))
    number = f"{seconds:.{digits}f}" if digits else str(math.floor(seconds))
    return texts("duration.short_seconds", language, number=number)
