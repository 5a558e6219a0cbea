"""Bounded set of keys that expire."""

from collections import OrderedDict
from typing import Generic, TypeVar

from tgllm.api.clock import Clock

__all__ = ["RecentKeys"]

Key = TypeVar("Key")


class RecentKeys(Generic[Key]):
    """Keys noted within the last seconds, kept in memory; above the limit, the oldest key is dropped."""

    def __init__(self, clock: Clock, seconds: float, most: int) -> None:
        """Create an empty set.

        Args:
            clock: source of time.
            seconds: lifetime of a key.
            most: maximum number of keys.
        """
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._noted: OrderedDict[Key, float] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        """Whether the key is in the set and has not expired."""
        noted = self._noted.get(key)
        return noted is not None and self._clock.monotonic() - noted < self._seconds

    def note(self, key: Key) -> None:
        """Add a key, or renew it."""
        self._noted[key] = self._clock.monotonic()
        self._noted.move_to_end(key)
        if len(self._noted) > self._most:
            self._noted.popitem(last=False)
