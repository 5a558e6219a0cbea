"""Rate limits of answers to people without access: for each person, and in total.

The state is only in memory; after a restart, each person may get one more answer.
"""

from collections import deque
from collections.abc import Collection

from tgllm.api.clock import Clock
from tgllm.services.common.recent_keys import RecentKeys

__all__ = ["Key", "StrangerLimits"]

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
        if not self.allows(key):
            return False
        self.count(key)
        return True

    def allows(self, key: Key, pending: Collection[Key] = ()) -> bool:
        """Return whether an answer is allowed, without counting it.

        Args:
            key: as for ``may_answer``.
            pending: answers that will be counted, such as those of the same transaction.
        """
        if key in self._answered or key in pending or len(pending) >= self._per_hour:
            return False
        # With those that are pending, it takes the place of this one.
        replaced = len(self._recent) + len(pending) - self._per_hour
        return replaced < 0 or self._clock.monotonic() - self._recent[replaced] >= _HOUR

    def count(self, key: Key) -> None:
        """Count an answer."""
        self._recent.append(self._clock.monotonic())
        self._answered.note(key)
