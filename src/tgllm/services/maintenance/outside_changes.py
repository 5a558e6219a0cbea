"""Detection of changes from outside while the bot runs: writes by other processes, and the loss of the database."""

from collections.abc import Awaitable, Callable

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.db.engine.gate import is_passing
from tgllm.db.file.rescue import loss_error

__all__ = ["OutsideChanges", "Reaction"]

Reaction = Callable[[], Awaitable[None]]
"""Callback after a write by another process. It gets no details, so it checks the database itself."""


class OutsideChanges:
    """Background task that polls for writes by other processes, and for the loss of the database or its folder.

    Most changes need no reaction: nothing is cached, so the next update reads them. The reaction is for rows that wait
    in the outbox, and for turns that run meanwhile.
    """

    def __init__(self, database: Database, clock: Clock, seconds: float, react: Reaction) -> None:
        """Create the task; ``run`` does the work.

        Args:
            database: the database to poll.
            clock: source of time.
            seconds: polling interval.
            react: called after each poll that has found a write.
        """
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._react = react

    async def run(self) -> None:
        """Poll until cancelled.

        Raises:
            DatabaseLost: the database or its folder was deleted, moved or replaced.
            DatabaseError: the database can't be used.
        """
        while True:
            await self._clock.sleep(self._seconds)
            loss = await self._database.lost()
            if loss is not None:
                raise loss_error(loss, self._database.path)
            try:
                await self._database.mark_again(self._clock)
                is_changed = await self._database.changed_elsewhere()
            except DatabaseError as error:
                if not is_passing(error):
                    raise
                # The disk is full or locked. The next poll looks again, whether the file is still there first of all.
                continue
            if is_changed:
                await self._react()
