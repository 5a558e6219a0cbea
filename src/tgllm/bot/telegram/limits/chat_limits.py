"""Rate limits of one chat."""

import asyncio
from collections import deque
from typing import Final

from tgllm.bot.telegram.limits.buckets import NO_LIMIT, ROUNDING, TokenBucket, positive

__all__ = ["WINDOW_SECONDS", "ChatLimits"]

_SPARE_FOR_ANSWERS: Final = 2
"""Calls for which the background leaves room in a chat: an answer and a draft."""
_SPARE_IN_MINUTE: Final = 1 / 3
"""Part of a group's minute that the background leaves to answers."""
_BACKGROUND_SECONDS: Final = 15.0
"""Interval at which a chat gets one call of the background, although an answer leaves no room for it."""

WINDOW_SECONDS: Final = 61.0
"""Slightly more than a minute: calls may reach Telegram closer together than they were made."""


class ChatLimits:
    """Limits of one chat, and the queue of calls that wait for it."""

    __slots__ = ("_bucket", "_minute", "_most", "background_at", "line", "waiting")

    def __init__(self, bucket: TokenBucket, per_minute: int = 0, noted: int = 0) -> None:
        """Create the limits of a chat without calls.

        Args:
            bucket: its rate and burst.
            per_minute: most calls in a minute; 0 for no limit.
            noted: the highest value that ``per_minute`` may get later.
        """
        self.background_at = -_BACKGROUND_SECONDS
        self._bucket = bucket
        self._most = per_minute
        self._minute = deque[float](maxlen=max(per_minute, noted))
        # asyncio.Lock is fair: waiters acquire it in the order in which they asked for it.
        self.line = asyncio.Lock()
        self.waiting = 0
        """Calls that have not been made yet and wait here."""

    def resize(self, rate: float, burst: float, per_minute: int, now: float) -> None:
        """Go on with other limits; the calls of the last minute count on."""
        self._bucket.resize(rate, burst, now)
        if self._most:
            self._most = per_minute

    def room(self, now: float) -> int:
        """Return how many calls may be made at once beside those that wait."""
        most = self._most
        while self._minute and self._minute[0] + WINDOW_SECONDS <= now + ROUNDING:
            self._minute.popleft()
        left = most - len(self._minute) if most else NO_LIMIT
        return min(self._bucket.room(now), left) - self.waiting

    def wait(self, now: float, spare: int = 0) -> float:
        """Return the seconds until a call may be made that leaves room for ``spare`` more."""
        return max(self._bucket.wait(now, spare), self.full_for(now, spare))

    def full_for(self, now: float, spare: int = 0) -> float:
        """Return the seconds until the minute's window has room for a call and ``spare`` more."""
        most = self._most
        # Position, from the newest, of the call that must leave the window first.
        back = max(1, most - spare)
        if not most or len(self._minute) < back:
            return 0.0
        return positive(self._minute[-back] + WINDOW_SECONDS - now)

    def background_wait(self, now: float) -> float:
        """Return the seconds until a call of the background may be made."""
        spare_in_minute = int(self._most * _SPARE_IN_MINUTE)
        beside_answers = max(self._bucket.wait(now, _SPARE_FOR_ANSWERS), self.full_for(now, spare_in_minute))
        # In its turn it is made like an answer: between answers that follow each other, the chat never has more room.
        in_turn = max(self.wait(now), positive(self.background_at + _BACKGROUND_SECONDS - now))
        return min(beside_answers, in_turn)

    def take(self, now: float) -> None:
        """Count a call that is made now."""
        self._bucket.tokens(now)
        self._bucket.take()
        self._minute.append(now)

    def empty(self, now: float) -> None:
        """Leave no burst, as if the chat had taken all of it just now."""
        self._bucket.empty(now)
