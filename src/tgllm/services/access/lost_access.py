"""Stop of running turns of people who have lost access."""

from collections.abc import Sequence

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.services.common.lane import Lane
from tgllm.services.people.standing import may_talk
from tgllm.services.turns.running import RunningTurn, RunningTurns

__all__ = ["LostAccess", "without_access"]


class LostAccess:
    """Checks the access of running turns against the database, which other processes may have changed."""

    def __init__(self, database: Database, running: RunningTurns, clock: Clock) -> None:
        self._database = database
        self._running = running
        self._clock = clock

    async def stop_turns(self) -> None:
        """Stop all running turns of people without access.

        Raises:
            DatabaseError: the database can't be read.
        """
        turns = self._running.turns
        if not turns:
            return
        now = milliseconds(self._clock)
        for turn in await self._database.read(lambda conn: without_access(conn, turns, now)):
            turn.stop("person")


def without_access(conn: Connection, turns: Sequence[RunningTurn], now: int) -> list[RunningTurn]:
    """Return the turns whose user has no access in the chat of the turn."""
    return [
        running
        for running in turns
        if not may_talk(conn, running.turn.user.id, Lane.parse(running.turn.lane).access_id, now)
    ]
