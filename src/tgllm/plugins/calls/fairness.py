"""Fair use of the event loop by plugin generators that yield without ever suspending."""

import asyncio

from tgllm.api.clock import Clock

__all__ = ["MOST_EVENTS", "MOST_SECONDS", "Burst", "LoopShare"]

MOST_SECONDS = 0.005
"""How long one consumer may process events before other tasks run."""
MOST_EVENTS = 256
"""How many events it may process in that time; holds also with a clock that stands still."""


class LoopShare:
    """Counter of the loop's iterations, shared by all consumers of generators.

    ``await`` does not suspend if the generator has the next event at once, so an endless generator would keep the loop
    to itself. Consumers pause only if the loop has not run meanwhile: a stream that waits for the network has no cost
    but a comparison for each event.
    """

    def __init__(self, clock: Clock) -> None:
        """Create a counter; ``clock`` measures bursts."""
        self.clock = clock
        self._iteration = 0
        self._counting = False
        # One after another: with one burst for each of many consumers, an iteration of the loop would be long again.
        self._pausing = asyncio.Lock()

    def iteration(self) -> int:
        """Return a number that changes when the loop has run other tasks."""
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._turned)
        return self._iteration

    async def pause(self, seconds: float) -> None:
        """Let other tasks run for that long; of several consumers that pause, one continues after the other."""
        async with self._pausing:
            await self.clock.sleep(seconds)

    def _turned(self) -> None:
        self._counting = False
        self._iteration += 1


class Burst:
    """Events that one consumer processes without a run of other tasks."""

    def __init__(self, share: LoopShare) -> None:
        """Start with no events."""
        self._share = share
        self._iteration = -1
        self._events = 0
        self._began = share.clock.monotonic()

    async def add(self) -> None:
        """Count an event, and let other tasks run if the burst has become long."""
        self._events += 1
        elapsed = self._share.clock.monotonic() - self._began
        if self._events < MOST_EVENTS and elapsed < MOST_SECONDS:
            return
        # Asked only now, since counting the iterations costs more than the comparisons above.
        if self._share.iteration() == self._iteration:
            # As long as the burst: other work takes many iterations of the loop, and would wait for a burst in each.
            await self._share.pause(min(elapsed, MOST_SECONDS))
        self._iteration, self._events = self._share.iteration(), 0
        self._began = self._share.clock.monotonic()
