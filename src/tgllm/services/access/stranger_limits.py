"""Rate limits of answers to people without access: for each person, and in total.

The state is only in memory; after a restart, each person may get one more answer.
"""

from collections import deque

from tgllm.api.clock import Clock
from tgllm.services.common.recent_keys import RecentKeys

__all__ = ["StrangerLimits"]

MOST_KNOWN = 10_000
"""Maximum number of people and groups whose last answer is remembered; the oldest is dropped first."""
_HOUR = 3600.0

Key = tuple[str, int]


class StrangerLimits:
    """Rate limiter of answers to people and groups without access."""

    def __init__(self, clock: Clock, interval: float, per_hour: int) -> None:
        """Create a limiter without history.

        Args:
            clock: source of time.
            interval: minimum seconds between two answers of a kind to the same person or group.
            per_hour: maximum number of answers in any hour, in total.
        """
        self._clock = clock
        self._answered: RecentKeys[Key] = RecentKeys(clock, interval, MOST_KNOWN)
        self._recent: deque[float] = deque(maxlen=max(1, per_hour))
        self._per_hour = per_hour

    def may_answer(self, key: Key) -> bool:
        """Whether to answer now; if so, the answer is counted.

        Args:
            key: the kind of message, and the id of the person or group.
        """
        if key in self._answered:
            return False
        now = self._clock.monotonic()
        if self._per_hour == 0 or (len(self._recent) == self._per_hour and now - self._recent[0] < _HOUR):
            return False
        self._recent.append(now)
        self._answered.note(key)
        return True
