"""Result that several requests share: it is made once for all that ask meanwhile, and for a short time after."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from tgllm.api.clock import Clock

__all__ = ["Shared"]

T = TypeVar("T")


class Shared(Generic[T]):
    """Result of a function, made again after some time."""

    def __init__(self, make: Callable[[], Awaitable[T]], clock: Clock, seconds: float) -> None:
        """Set the function, and the seconds for which a result is used again."""
        self._make = make
        self._clock = clock
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._made: tuple[float, T] | None = None

    async def get(self) -> T:
        """Return the result."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._made is None or now - self._made[0] >= self._seconds:
                self._made = (now, await self._make())
            return self._made[1]
