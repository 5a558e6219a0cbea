"""Rate limit of one person's questions over all chats: in memory, or as rows where there are several replicas."""

from collections import deque
from typing import Literal

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.shared import question_times

__all__ = ["MessageRate", "Pace"]

WINDOW_SECONDS = 60.0
MOST_PEOPLE = 1000
"""People in memory at which those without a question in the window are removed."""

Pace = Literal["ok", "first", "again"]
"""Within the limit; over it for the first time in a minute, which gets a warning; over it again, without one."""


class MessageRate:
    """Sliding window over the last minute, for each person."""

    def __init__(self, limit: int, clock: Clock) -> None:
        """Allow ``limit`` questions in a minute; 0 means no limit."""
        self._limit = limit
        self._clock = clock
        self._times: dict[int, deque[float]] = {}
        self._told: dict[int, float] = {}

    def take(self, user_id: int) -> Pace:
        """Count a question, unless it is over the limit."""
        if not self._limit:
            return "ok"
        now = self._clock.monotonic()
        if len(self._times) > MOST_PEOPLE:
            self._forget(now)
        times = self._times.setdefault(user_id, deque(maxlen=self._limit))
        if len(times) < self._limit or now - times[0] >= WINDOW_SECONDS:
            times.append(now)
            return "ok"
        told = self._told.get(user_id)
        if told is not None and now - told < WINDOW_SECONDS:
            return "again"
        self._told[user_id] = now
        return "first"

    async def take_shared(self, database: Database, user_id: int) -> Pace:
        """Count a question of all replicas together, unless it is over the limit.

        Raises:
            DatabaseError: the database can't be written.
        """
        if not self._limit:
            return "ok"
        now = milliseconds(self._clock)
        return await database.write(lambda conn: self._pace(conn, user_id, now), durable=False)

    def _pace(self, conn: Connection, user_id: int, now: int) -> Pace:
        """Count a question in a transaction."""
        since = now - round(WINDOW_SECONDS * 1000)
        question_times.prune_of(conn, user_id, since)
        if question_times.count(conn, user_id, "question", since) < self._limit:
            question_times.add(conn, user_id, "question", now)
            return "ok"
        if question_times.count(conn, user_id, "warning", since):
            return "again"
        question_times.add(conn, user_id, "warning", now)
        return "first"

    def __len__(self) -> int:
        """Return the number of people in memory."""
        return len(self._times)

    def _forget(self, now: float) -> None:
        quiet = [user for user, times in self._times.items() if not times or now - times[-1] >= WINDOW_SECONDS]
        for user in quiet:
            del self._times[user]
            self._told.pop(user, None)
