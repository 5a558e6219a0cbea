"""Share of the overall rate that the background may use: access requests, replies to strangers, broadcasts.

While the bot answers people, the background gets a third of the rate at most, and only of what the answers and their
drafts leave over. Without answers it may use all but a reserve, so that the next answer finds room at once. A small
part of the rate is its own in any case, so that no number of answers stops it.
"""

from typing import Final

from tgllm.bot.telegram.limits.buckets import NO_LIMIT, ROUNDING, TokenBucket

__all__ = ["BackgroundShare"]

_MOST: Final = 1 / 3
"""Part of the rate that the background may use while the bot answers."""
_LEAST: Final = 1 / 14
"""Part of the rate that the background gets in any case."""
_RESERVE: Final = 1 / 3
"""Part of a second's calls that the background leaves over."""
_QUIET_SECONDS: Final = 5.0
"""Time after an answer or a draft for which the bot counts as answering."""


class BackgroundShare:
    """Counts calls of the background, and says how many more may begin."""

    def __init__(self, overall: TokenBucket, rate: float, now: float) -> None:
        """Create a share of which nothing is used.

        Args:
            overall: bucket of all calls.
            rate: its rate; 0 for no limit.
            now: seconds of a monotonic clock.
        """
        self._overall = overall
        self._rate = rate
        self._reserve = rate * _RESERVE
        self._most = TokenBucket(rate * _MOST, max(1.0, rate * _MOST / 2), now)
        self._least = TokenBucket(rate * _LEAST, 1.0, now)
        self._answered_at = now - _QUIET_SECONDS

    def resize(self, rate: float, now: float) -> None:
        """Go on with another rate of the bucket of all calls."""
        self._rate, self._reserve = rate, rate * _RESERVE
        self._most.resize(rate * _MOST, max(1.0, rate * _MOST / 2), now)
        self._least.resize(rate * _LEAST, 1.0, now)

    def note_answer(self, now: float) -> None:
        """Note that an answer or a draft is sent."""
        self._answered_at = now

    def take(self) -> None:
        """Count a call of the background."""
        self._most.take_if_any()
        self._least.take_if_any()

    def room(self, now: float) -> int:
        """Return how many calls of the background may begin."""
        if self._rate <= 0:
            return NO_LIMIT
        left = self._overall.tokens(now) - min(self._reserve, self._overall.size - 1)
        if self._is_answering(now):
            left = min(left, self._most.tokens(now))
        own = 0 if self._least.wait(now) else 1
        return min(self._overall.room(now), max(int(left + ROUNDING), own))

    def wait(self, now: float) -> float:
        """Return the seconds until a call of the background may begin, if no other call does."""
        if self._rate <= 0:
            return 0.0
        left_over = self._overall.wait(now, self._reserve)
        if self._is_answering(now):
            left_over = max(left_over, self._most.wait(now))
        return max(self._overall.wait(now), min(left_over, self._least.wait(now)))

    def _is_answering(self, now: float) -> bool:
        return now - self._answered_at < _QUIET_SECONDS
