"""What has happened a little while ago: a limited number of keys, each with its time."""

from collections import OrderedDict
from typing import Generic, TypeVar

from tgllm.api.clock import Clock

__all__ = ["RecentKeys"]

Key = TypeVar("Key")


class RecentKeys(Generic[Key]):
    """Kept in memory; of too many keys the one noted longest ago is forgotten first."""

    def __init__(self, clock: Clock, seconds: float, most: int) -> None:
        """Begin with none.

        Args:
            clock: the time.
            seconds: how long a key counts as recent.
            most: keys that are remembered.
        """
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._noted: OrderedDict[Key, float] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        """Whether the key was noted less than that many seconds ago."""
        noted = self._noted.get(key)
        return noted is not None and self._clock.monotonic() - noted < self._seconds

    def note(self, key: Key) -> None:
        """Remember a key as of now."""
        self._noted[key] = self._clock.monotonic()
        self._noted.move_to_end(key)
        if len(self._noted) > self._most:
            self._noted.popitem(last=False)
