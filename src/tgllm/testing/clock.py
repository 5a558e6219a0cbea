"""Clocks for tests: one that is advanced manually, and one that skips delays."""

import asyncio
from dataclasses import dataclass, field

from tgllm.api.clock import SystemClock

__all__ = ["HurriedClock", "ManualClock"]

_START = 1_767_225_600.0  # 2026-01-01 00:00 UTC


@dataclass(order=True, slots=True)
class _Sleeper:
    due: float
    number: int
    future: asyncio.Future[None] = field(compare=False)


class ManualClock:
    """A ``tgllm.api.clock.Clock`` with virtual time.

    ``start`` is in seconds since 1970. Time changes only by ``advance`` and ``set_now``.
    """

    def __init__(self, start: float = _START) -> None:
        self._offset = start
        self._elapsed = 0.0
        self._count = 0
        self._sleepers: list[_Sleeper] = []

    def now(self) -> float:
        """Return the virtual time in seconds since 1970."""
        return self._offset + self._elapsed

    def monotonic(self) -> float:
        """Return the virtual seconds since the creation of the clock."""
        return self._elapsed

    @property
    def sleepers(self) -> int:
        """Number of tasks that wait for this clock."""
        return len(self._sleepers)

    def set_now(self, now: float) -> None:
        """Set the wall clock, as an administrator does, without waking sleepers."""
        self._offset = now - self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until ``advance`` reaches that time; zero or less only yields to other tasks."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        sleeper = _Sleeper(self._elapsed + seconds, self._count, future)
        self._sleepers.append(sleeper)
        try:
            await future
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        """Advance the time by ``seconds``, and wake sleepers one by one in the order of their times.

        After each, and at the end, other tasks run until they are idle, so that a sleeper that sleeps again within the
        time span is woken again.
        """
        end = self._elapsed + seconds
        await _settle()
        while (sleeper := min(self._sleepers, default=None)) and sleeper.due <= end:
            self._sleepers.remove(sleeper)
            self._elapsed = max(self._elapsed, sleeper.due)
            if not sleeper.future.done():
                sleeper.future.set_result(None)
            await _settle()
        self._elapsed = end
        await _settle()


async def _settle() -> None:
    """Run the tasks that are ready, and those that they wake, up to a chain of this length."""
    for _ in range(20):
        await asyncio.sleep(0)


class HurriedClock:
    """A ``tgllm.api.clock.Clock`` whose sleeps return immediately and advance the time, for tests of retries."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._slept = 0.0
        self.waits: list[float] = []
        """The skipped delays, in seconds."""

    def now(self) -> float:
        """Return the time in seconds since 1970, including skipped delays."""
        return self._real.now() + self._slept

    def monotonic(self) -> float:
        """Return the monotonic time in seconds, including skipped delays."""
        return self._real.monotonic() + self._slept

    async def sleep(self, seconds: float) -> None:
        """Yield to other tasks, and advance the time by ``seconds``."""
        self.waits.append(seconds)
        self._slept += max(0.0, seconds)
        await self._real.sleep(0)
