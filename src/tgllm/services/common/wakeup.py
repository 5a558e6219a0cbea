"""Wake-up signal between two loops."""

import asyncio

from tgllm.api.clock import Clock

__all__ = ["Wakeup"]


class Wakeup:
    """Signal that there may be work. Several signals before the worker waits count as one."""

    def __init__(self) -> None:
        """Create an unset signal."""
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the worker."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        """Whether a call waits to be taken."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for the signal, at most ``seconds``, and clear it.

        Returns:
            Whether it was set in time.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True

    async def wait_for(self, seconds: float | None, clock: Clock) -> None:
        """Wait for the signal, at most ``seconds`` of that clock, and clear it."""

        async def end(until: float) -> None:
            # Counted from the call: the clock may go on before this task begins.
            await clock.sleep(until - clock.monotonic())
            self._event.set()

        async with asyncio.TaskGroup() as group:
            until = None if seconds is None else clock.monotonic() + seconds
            ending = None if until is None else group.create_task(end(until), name="end of a wait")
            await self._event.wait()
            if ending is not None:
                ending.cancel()
        self._event.clear()
