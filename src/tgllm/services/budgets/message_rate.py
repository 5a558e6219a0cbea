"""How fast one person may ask, over all chats together; kept in memory."""

from collections import deque
from typing import Literal

from tgllm.api.clock import Clock

__all__ = ["MessageRate", "Pace"]

WINDOW_SECONDS = 60.0
MOST_PEOPLE = 1000
"""That are remembered before those are forgotten who have been quiet for a while."""

Pace = Literal["ok", "first", "again"]
"""Slow enough; too fast for the first time in a minute, which is told; too fast again, which is not."""


class MessageRate:
    """Counts the questions of each person in the last minute."""

    def __init__(self, limit: int, clock: Clock) -> None:
        """Take at most so many in a minute; 0 takes any number."""
        self._limit = limit
        self._clock = clock
        self._times: dict[int, deque[float]] = {}
        self._told: dict[int, float] = {}

    def take(self, user_id: int) -> Pace:
        """Count a question, unless it comes too fast."""
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

    def __len__(self) -> int:
        """How many people are remembered."""
        return len(self._times)

    def _forget(self, now: float) -> None:
        quiet = [user for user, times in self._times.items() if not times or now - times[-1] >= WINDOW_SECONDS]
        for user in quiet:
            del self._times[user]
            self._told.pop(user, None)
