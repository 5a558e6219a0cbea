"""Notices what other processes have written to the database while the bot runs: the commands of the shell."""

from collections.abc import Awaitable, Callable

from tgllm.api.clock import Clock
from tgllm.db.database import Database

__all__ = ["OutsideChanges", "Reaction"]

Reaction = Callable[[], Awaitable[None]]
"""What is to be done when something has been written; it does not know what, so it looks for itself."""


class OutsideChanges:
    """Looks every now and then whether somebody else has written.

    Most of what the shell changes needs no reaction, since nothing is cached: the next update reads it. This is for
    what waits or runs meanwhile.
    """

    def __init__(self, database: Database, clock: Clock, seconds: float, react: Reaction) -> None:
        """Prepare; ``run`` does the work.

        Args:
            database: what is looked at.
            clock: the time.
            seconds: the pause between two looks.
            react: called after each look that has found something.
        """
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._react = react

    async def run(self) -> None:
        """Look until cancelled.

        Raises:
            DatabaseError: the database can't be used.
        """
        while True:
            await self._clock.sleep(self._seconds)
            if await self._database.changed_elsewhere():
                await self._react()
