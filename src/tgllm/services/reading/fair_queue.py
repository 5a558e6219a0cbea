"""Places for work that may run at the same time, given to those who wait in turn."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager

__all__ = ["FairQueue"]


class FairQueue:
    """Queue for a number of places. With many waiting, each owner gets one place after the other.

    So a person who sends fifty files delays another person's file by one of them.
    """

    def __init__(self, places: int) -> None:
        """Create a queue for that many places."""
        self._free = places
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """Number of those that wait."""
        return sum(len(futures) for futures in self._waiting.values())

    @asynccontextmanager
    async def place(self, owner: Hashable) -> AsyncGenerator[None]:
        """Wait for a place, and hold it within the context."""
        await self._acquire(owner)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, owner: Hashable) -> None:
        if self._free:
            self._free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                # The place was given in the same moment.
                self._release()
            else:
                self._remove(owner, future)
            raise

    def _release(self) -> None:
        if not self._waiting:
            self._free += 1
            return
        owner = next(iter(self._waiting))
        futures = self._waiting.pop(owner)
        future = futures.popleft()
        if futures:
            # At the end of the round.
            self._waiting[owner] = futures
        if future.done():
            # It was cancelled, and has not run since.
            self._release()
        else:
            future.set_result(None)

    def _remove(self, owner: Hashable, future: "asyncio.Future[None]") -> None:
        futures = self._waiting.get(owner)
        if futures is None or future not in futures:
            return
        futures.remove(future)
        if not futures:
            del self._waiting[owner]
