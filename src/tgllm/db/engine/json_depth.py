"""How deep a JSON value may be nested that is to be stored."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

__all__ = ["MOST_LEVELS", "check_depth"]

MOST_LEVELS: Final = 100
"""Of values within values. SQLite reads 1000 (sqlite.org: JSON functions), and Python writes fewer or more of them,
according to its version."""


def check_depth(value: object, levels: int = MOST_LEVELS) -> None:
    """Refuse a value that is nested deeper than ``levels``, also one that holds itself.

    Raises:
        ValueError: it is.
    """
    if not levels:
        raise ValueError(f"it is nested more than {MOST_LEVELS} deep")
    for inner in _within(value):
        check_depth(inner, levels - 1)


def _within(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value).values()
    return cast("Iterable[object]", value) if isinstance(value, list | tuple) else ()
