"""The wish that the program may end, from outside of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

__all__ = ["Stopping"]


class Stopping:
    """Set once, by a signal; looked at by whoever works."""

    def __init__(self) -> None:
        """Nobody wishes it yet."""
        self.event = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None

    def set(self) -> None:
        """Wish that the program ends."""
        self.event.set()
        self._expire()

    @asynccontextmanager
    async def interrupts(self) -> AsyncGenerator[None]:
        """Within this block the wish ends whatever is awaited, as if its time were up.

        Raises:
            TimeoutError: at the end of the block, if it was interrupted.
        """
        try:
            async with asyncio.timeout(None) as self._deadline:
                if self.event.is_set():
                    self._expire()
                yield
        finally:
            self._deadline = None

    def _expire(self) -> None:
        # A deadline that has passed can't be moved any more.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())
