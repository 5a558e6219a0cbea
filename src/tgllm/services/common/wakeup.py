"""A wake-up call between two loops."""

import asyncio

__all__ = ["Wakeup"]


class Wakeup:
    """Says that there may be work. Any number of calls before the worker looks count as one."""

    def __init__(self) -> None:
        """Start asleep."""
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the worker."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether a call waits to be taken."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for a call, at most ``seconds``, and take it.

        Returns:
            Whether there was one.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
