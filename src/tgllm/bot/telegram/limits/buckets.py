"""Token bucket, from which the rate limits are made."""

from math import floor
from typing import Final

__all__ = ["NO_LIMIT", "ROUNDING", "TokenBucket", "positive"]

ROUNDING: Final = 1e-9
NO_LIMIT: Final = 1 << 30
"""Number of calls that stands for any number."""


class TokenBucket:
    """Token bucket. With a rate of 0 it limits nothing."""

    __slots__ = ("_at", "_rate", "_tokens", "size")

    def __init__(self, rate: float, size: float, now: float) -> None:
        """Create a full bucket.

        Args:
            rate: tokens per second.
            size: most tokens in the bucket.
            now: seconds of a monotonic clock.
        """
        self._rate = rate
        self.size = size
        self._tokens = size
        self._at = now

    def resize(self, rate: float, size: float, now: float) -> None:
        """Go on with another rate and size; tokens above the new size are lost."""
        tokens = self.tokens(now)
        self._rate, self.size = rate, size
        self._tokens = min(size, tokens)

    def tokens(self, now: float) -> float:
        """Return the number of tokens; below zero if more were taken than there were."""
        self._tokens = min(self.size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens

    def wait(self, now: float, spare: float = 0) -> float:
        """Return the seconds until there is a token beside ``spare`` others; a small bucket spares fewer."""
        if self._rate <= 0:
            return 0.0
        return positive(1.0 + min(spare, self.size - 1) - self.tokens(now)) / self._rate

    def room(self, now: float) -> int:
        """Return the number of whole tokens; below zero if more were taken than there were."""
        return NO_LIMIT if self._rate <= 0 else floor(self.tokens(now) + ROUNDING)

    def take(self) -> None:
        """Use a token; the count may go below zero, which makes later callers wait longer."""
        self._tokens -= 1.0

    def empty(self, now: float) -> None:
        """Take all tokens that there are."""
        self._tokens = min(0.0, self.tokens(now))

    def take_if_any(self) -> None:
        """Use a token if there is one."""
        self._tokens = max(0.0, self._tokens - 1.0)


def positive(left: float) -> float:
    """Return the rest of a wait, 0 if only a rounding error is left."""
    return left if left > ROUNDING else 0.0
