"""Clocks for tests: one that goes on only when a test says so, and one that leaves waits out."""

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
    """Implements ``tgllm.api.clock.Clock`` on virtual time.

    ``start`` is UTC in seconds since 1970. Time stands still but for ``advance`` and ``set_now``.
    """

    def __init__(self, start: float = _START) -> None:
        self._offset = start
        self._elapsed = 0.0
        self._count = 0
        self._sleepers: list[_Sleeper] = []

    def now(self) -> float:
        """Virtual UTC as seconds since 1970."""
        return self._offset + self._elapsed

    def monotonic(self) -> float:
        """Virtual seconds since the clock was made."""
        return self._elapsed

    @property
    def sleepers(self) -> int:
        """How many tasks wait on this clock."""
        return len(self._sleepers)

    def set_now(self, now: float) -> None:
        """Set the wall time, as an administrator would; nobody wakes."""
        self._offset = now - self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until ``advance`` has gone that far; zero or less gives other tasks a turn."""
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
        """Go ``seconds`` on, waking sleepers one by one in the order of their times.

        After each, and at the end, the other tasks run until nothing is left to do at once, so
        that a sleeper that sleeps again within the span is woken again.
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
    """Let what is ready run; a chain of this many hand-overs between tasks is followed."""
    for _ in range(20):
        await asyncio.sleep(0)


class HurriedClock:
    """Implements ``tgllm.api.clock.Clock``: a wait only moves the time on, so that retries take no time."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._slept = 0.0
        self.waits: list[float] = []
        """The waits that were left out, in seconds."""

    def now(self) -> float:
        """UTC as seconds since 1970, and the waits that were left out."""
        return self._real.now() + self._slept

    def monotonic(self) -> float:
        """Seconds since some moment, and the waits that were left out."""
        return self._real.monotonic() + self._slept

    async def sleep(self, seconds: float) -> None:
        """Give other tasks a turn, and let the time be ``seconds`` later."""
        self.waits.append(seconds)
        self._slept += max(0.0, seconds)
        await self._real.sleep(0)
