"""Worker that sends reminders and asks prompts once their time has come."""

from collections.abc import Callable
from typing import Final

from tgllm.api.clock import milliseconds
from tgllm.bot.reminders.question import ask_later
from tgllm.db.tables.reminders import store
from tgllm.observe.logs import get_logger
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.core import Core
from tgllm.services.reminders.firing import Fired, Firing

__all__ = ["Reminders"]

log = get_logger(__name__)

LONGEST_SLEEP_SECONDS: Final = 300.0
"""Interval at which the clock is checked: it may be set, or the machine may have been suspended."""


class Reminders:
    """Worker of the table ``reminders``."""

    def __init__(self, core: Core, username: str, arrived: Callable[[], None]) -> None:
        """Create the worker; ``run`` starts it.

        Args:
            core: the services.
            username: the bot's, without the @.
            arrived: called when questions were added to the inbox.
        """
        self._database = core.database
        self._clock = core.clock
        self._arrived = arrived
        self._wakeup = Wakeup()
        self._firing = Firing(
            core.texts,
            core.config.time_zone,
            core.config.reminders,
            lambda conn, reminder, person, now: ask_later(conn, reminder, person, username, now),
        )
        core.database.on_commit("jobs", self._wakeup.set)

    async def run(self) -> None:
        """Send and ask what is due at its time, until cancelled.

        Raises:
            DatabaseError: the database can't be read or written.
        """
        while True:
            next_at = await self._database.read(store.next_at)
            if next_at is not None and next_at <= milliseconds(self._clock):
                await self.fire()
            else:
                await self._wakeup.wait_for(self._pause(next_at), self._clock)

    async def fire(self) -> Fired:
        """Send and ask what is due now."""
        now = milliseconds(self._clock)
        fired = await self._database.write(lambda conn: self._firing.fire(conn, now))
        if fired.asked:
            self._arrived()
        log.info("reminders.fired", sent=fired.sent, asked=fired.asked)
        return fired

    def _pause(self, next_at: int | None) -> float:
        if next_at is None:
            return LONGEST_SLEEP_SECONDS
        left = (next_at - milliseconds(self._clock)) / 1000
        return min(max(left, 0.0), LONGEST_SLEEP_SECONDS)
