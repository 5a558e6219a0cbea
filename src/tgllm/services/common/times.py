"""Stored times, which are UTC in milliseconds since 1970, as files and programs outside read them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, overload

__all__ = ["iso_time", "iso_times", "readable_time"]


def readable_time(time: int) -> str:
    """A time for people."""
    return _moment(time).strftime("%Y-%m-%d %H:%M UTC")


@overload
def iso_time(time: int) -> str: ...
@overload
def iso_time(time: int | None) -> str | None: ...
def iso_time(time: int | None) -> str | None:
    """A time for programs: ISO 8601, to the second; None for none."""
    return None if time is None else _moment(time).isoformat()


def iso_times(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details of a change for programs: what is a time by its name (``expires_at``) becomes one."""
    return {key: iso_time(value) if _is_time(key, value) else value for key, value in details.items()}


def _is_time(key: str, value: object) -> bool:
    return key.endswith("_at") and isinstance(value, int)


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time // 1000, UTC)
