"""How often people who have not been let in are answered: once in a while each, and not too many in all.

Kept in memory: a restart costs one more answer each.
"""

from collections import deque

from tgllm.api.clock import Clock
from tgllm.services.common.recent_keys import RecentKeys

__all__ = ["StrangerLimits"]

MOST_KNOWN = 10_000
"""People and groups whose last answer is remembered; the one answered longest ago is forgotten first."""
_HOUR = 3600.0

Key = tuple[str, int]


class StrangerLimits:
    """Says whether one more answer may be given."""

    def __init__(self, clock: Clock, interval: float, per_hour: int) -> None:
        """Begin with nobody answered.

        Args:
            clock: the time.
            interval: seconds between two answers of a kind to the same person or group.
            per_hour: answers in any hour, all together.
        """
        self._clock = clock
        self._answered: RecentKeys[Key] = RecentKeys(clock, interval, MOST_KNOWN)
        self._recent: deque[float] = deque(maxlen=max(1, per_hour))
        self._per_hour = per_hour

    def may_answer(self, key: Key) -> bool:
        """Whether to answer now; if so, it counts as done.

        Args:
            key: what is answered, such as talk, and the id of the person or group.
        """
        if key in self._answered:
            return False
        now = self._clock.monotonic()
        if self._per_hour == 0 or (len(self._recent) == self._per_hour and now - self._recent[0] < _HOUR):
            return False
        self._recent.append(now)
        self._answered.note(key)
        return True
