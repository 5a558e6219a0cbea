"""Formats of stored times, which are UTC in milliseconds since 1970."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, overload

__all__ = ["iso_time", "iso_times", "readable_time"]


def readable_time(time: int) -> str:
    """Format a time for people."""
    return _moment(time).strftime("%Y-%m-%d %H:%M UTC")


@overload
def iso_time(time: int) -> str: ...
@overload
def iso_time(time: int | None) -> str | None: ...
def iso_time(time: int | None) -> str | None:
    """Format a time for programs: ISO 8601, to the second; None for None."""
    return None if time is None else _moment(time).isoformat()


def iso_times(details: Mapping[str, Any]) -> dict[str, Any]:
    """Format the times in details of an audit entry, recognised by a name like ``expires_at``."""
    return {key: iso_time(value) if _is_time(key, value) else value for key, value in details.items()}


def _is_time(key: str, value: object) -> bool:
    return key.endswith("_at") and isinstance(value, int)


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time // 1000, UTC)
