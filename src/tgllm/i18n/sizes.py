"""Sizes of files in words."""

import math
from typing import NamedTuple

from tgllm.i18n.catalogue import Catalogue

__all__ = ["size_text"]


class _Unit(NamedTuple):
    key: str
    size: int


_UNITS = (_Unit("size.gb", 2**30), _Unit("size.mb", 2**20), _Unit("size.kb", 2**10))
_FEW = 10
"""Numbers below it are shown with a decimal."""


def size_text(texts: Catalogue, size: int, language: str = "") -> str:
    """Return a number of bytes in the largest unit that fits, rounded up: "20 MB" for 20 * 2**20, as Telegram does."""
    for key, unit in _UNITS:
        if size >= unit:
            number = size / unit
            rounded = math.ceil(number) if number >= _FEW else math.ceil(number * 10) / 10
            return texts(key, language, amount=f"{rounded:g}")
    return texts("size.b", language, amount=size)
