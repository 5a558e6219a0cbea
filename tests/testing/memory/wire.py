"""A made-up LLM service in this process: what its provider and its tests both know."""

from collections.abc import AsyncGenerator
from typing import Any, Protocol

KEY = "memory/secret+key=0123456789"
MODEL = "memory-1"

Chunk = tuple[str, Any]
"""``text`` (bytes, cut anywhere), ``reasoning`` (str), ``usage`` (a dict), ``error`` (its name), ``end``, ``eof``,
``refusal`` (its words), ``odd`` (no part of the answer)."""


class Endpoint(Protocol):
    """The service as the provider reaches it."""

    connections: int

    def play(self, key: str, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]: ...
    def models(self, key: str) -> list[str] | str: ...


ENDPOINTS: dict[str, Endpoint] = {}
"""Who listens, by address."""
