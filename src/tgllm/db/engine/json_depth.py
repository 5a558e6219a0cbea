"""Limit on the nesting of stored JSON values."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

__all__ = ["MOST_LEVELS", "check_depth"]

MOST_LEVELS: Final = 100
"""Nesting levels. SQLite reads 1000 (sqlite.org: JSON functions); what Python can write depends on its version."""


def check_depth(value: object, levels: int = MOST_LEVELS) -> None:
    """Check that a value is nested at most ``levels`` deep and does not contain itself.

    Raises:
        ValueError: it is nested deeper.
    """
    if not levels:
        raise ValueError(f"it is nested more than {MOST_LEVELS} deep")
    for inner in _within(value):
        check_depth(inner, levels - 1)


def _within(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value).values()
    return cast("Iterable[object]", value) if isinstance(value, list | tuple) else ()
