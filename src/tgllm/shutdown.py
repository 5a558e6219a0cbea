"""Shutdown request, set by a signal."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

__all__ = ["Stopping"]


class Stopping:
    """Shutdown request: an event, and an interruption of what is awaited during startup."""

    def __init__(self) -> None:
        """Create a request that is not set."""
        self.event = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None

    def set(self) -> None:
        """Request the shutdown."""
        self.event.set()
        self._expire()

    @asynccontextmanager
    async def interrupts(self) -> AsyncGenerator[None]:
        """Interrupt what is awaited in this block when the shutdown is requested, like a timeout.

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
        # An expired timeout can't be rescheduled.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())
