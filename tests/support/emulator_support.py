"""Types of the fixtures that call the emulated Bot API."""

from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[..., Awaitable[Any]]
"""Calls a method, and returns what it answers."""
