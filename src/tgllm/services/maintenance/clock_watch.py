"""Corrects stored times when the system's clock is set, so that ages and pauses of unfinished work stay the same."""

from collections.abc import Callable
from typing import Final

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.db.queries.clock_jumps import shift
from tgllm.observe.logs import get_logger

__all__ = ["LONGEST_PAUSE", "ClockWatch"]

log = get_logger(__name__)

LOOK_SECONDS: Final = 5.0
"""Seconds between two looks."""
LEAST_SECONDS: Final = 10.0
"""A smaller change is the slow correction of a time service, which adds up over many looks."""
LONGEST_PAUSE: Final = 24 * 3600 * 1000
"""Milliseconds: no call of the outbox is put off for longer."""


class ClockWatch:
    """Background task that compares the system's clock with the monotonic one, which nothing sets."""

    def __init__(self, database: Database, clock: Clock, look_again: Callable[[], None]) -> None:
        """Create the watch; ``look_again`` is called when calls of the outbox may be due at another time."""
        self._database = database
        self._clock = clock
        self._look_again = look_again

    async def run(self) -> None:
        """Look until cancelled."""
        before = self._offset()
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            offset = self._offset()
            jump = offset - before
            before = offset
            if abs(jump) >= LEAST_SECONDS:
                await self._jumped(jump)

    def _offset(self) -> float:
        return self._clock.now() - self._clock.monotonic()

    async def _jumped(self, seconds: float) -> None:
        log.warning("clock.jumped", seconds=round(seconds))
        jump = round(seconds * 1000)
        earlier = round((self._clock.now() - seconds) * 1000)
        await self._database.write(lambda conn: shift(conn, jump, earlier))
        self._look_again()
