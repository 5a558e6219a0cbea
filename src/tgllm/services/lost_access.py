"""Stops the turns of people who may not use the bot any more, after a change that another program made."""

from collections.abc import Iterable

from tgllm.api.clock import Clock, milliseconds
from tgllm.db import users
from tgllm.db.database import Database
from tgllm.db.unit import Connection
from tgllm.services.running import RunningTurns

__all__ = ["LostAccess"]


class LostAccess:
    """Compares the turns that run with what is stored of those who asked."""

    def __init__(self, database: Database, running: RunningTurns, clock: Clock) -> None:
        """Prepare; ``stop_turns`` does the work."""
        self._database = database
        self._running = running
        self._clock = clock

    async def stop_turns(self) -> None:
        """Stop every turn of somebody who may not use the bot.

        Raises:
            DatabaseError: the database can't be read.
        """
        asking = self._running.user_ids
        if not asking:
            return
        now = milliseconds(self._clock)
        for user_id in await self._database.read(lambda conn: _without_access(conn, asking, now)):
            self._running.stop_user(user_id)


def _without_access(conn: Connection, user_ids: Iterable[int], now: int) -> list[int]:
    found = {user_id: users.get(conn, user_id) for user_id in user_ids}
    return [user_id for user_id, user in found.items() if user is None or not user.may_use(now)]
