"""Values of raw updates, whose parts may have any type."""

from collections.abc import Mapping
from typing import Any

__all__ = ["as_id", "as_mapping", "is_set"]

_MOST_ID = 2**63 - 1
"""SQLite: INTEGER. Bot API: ids have at most 52 significant bits."""


def as_id(value: object) -> int | None:
    """Return a Telegram id; None for any other value, and for a number that does not fit into the database."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -_MOST_ID <= value <= _MOST_ID else None


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a part of an update that should be an object; an empty mapping if it is anything else."""
    return value if isinstance(value, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]  JSON from outside


def is_set(value: object) -> bool:
    """Return whether a field has a value; Telegram leaves out fields that are false."""
    return value is not None and value is not False
