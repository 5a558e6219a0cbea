"""Number formats that fit every language, and sizes of files."""

import math
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["dollars", "grouped", "size_text"]

_MICROS = 1_000_000


class _Unit(NamedTuple):
    key: str
    size: int


_UNITS = (_Unit("size.gb", 2**30), _Unit("size.mb", 2**20), _Unit("size.kb", 2**10))
_FEW = 10
"""Sizes below it have a decimal."""


def grouped(number: int) -> str:
    """Format a number with narrow spaces between thousands, which no language uses as a decimal separator."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def dollars(micros: int) -> str:
    """Format millionths of a dollar as dollars with cents, or with more digits where needed."""
    whole, _, fraction = f"{micros / _MICROS:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def size_text(say: Callable[..., str], size: int, language: str = "") -> str:
    """Return a number of bytes in the largest unit that fits, rounded up: "20 MB" for 20 * 2**20, as Telegram does.

    Args:
        say: the catalogue.
        size: in bytes.
        language: language of the unit.
    """
    for key, unit in _UNITS:
        if size >= unit:
            number = size / unit
            rounded = math.ceil(number) if number >= _FEW else math.ceil(number * 10) / 10
            return say(key, language, amount=f"{rounded:g}")
    return say("size.b", language, amount=size)
