"""Model of Telegram's sending rates, which can be enabled."""

import math
from collections import deque
from dataclasses import asdict, dataclass, field

from tgllm.api.clock import Clock
from tgllm.testing.emulator.state.records import EmulatedChat

__all__ = ["RateLimits", "RateMeter", "is_metered"]

_GROUP_WINDOW_SECONDS = 60.0
_METERED = ("send", "edit", "copy", "forward")
_UNMETERED = frozenset({"sendChatAction"})
_ROUNDING = 1e-9
"""Part of a token that may be missing: a bot that waits exactly as long as it has to must not be refused."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Sending rates of a bot; edits and drafts count as messages.

    ``chat_per_second`` and ``chat_burst`` apply to each chat, ``group_per_minute`` additionally to each
    group, ``bot_per_second`` to all chats of a bot together. Source: Telegram's bot FAQ ("My bot is hitting
    limits"); the actual limits are unpublished. Raises ValueError unless all are above zero.
    """

    chat_per_second: float = 1.0
    chat_burst: int = 3
    group_per_minute: int = 20
    bot_per_second: float = 30.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) not in {int, float} or not 0 < value < math.inf:
                raise ValueError(f"{name} must be a number above zero")


@dataclass(slots=True)
class _Bucket:
    """A token bucket; ``level`` is its number of tokens at the time ``at``."""

    rate: float
    size: float
    level: float
    at: float

    def wait(self, now: float) -> float:
        """Return the seconds until a token is available."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        return 0.0 if self.level >= 1 - _ROUNDING else (1 - self.level) / self.rate

    def take(self) -> None:
        self.level -= 1


@dataclass(slots=True)
class _ChatMeter:
    bucket: _Bucket
    recent: deque[float] = field(default_factory=deque[float])

    def group_wait(self, now: float, per_minute: int) -> float:
        while self.recent and self.recent[0] <= now - _GROUP_WINDOW_SECONDS:
            self.recent.popleft()
        if len(self.recent) < per_minute:
            return 0.0
        return self.recent[0] + _GROUP_WINDOW_SECONDS - now


class RateMeter:
    """Meter of what bots send; ``violations`` is the number of refused calls.

    ``limits`` can be changed at any time, None disables them; a change resets the counts.
    """

    def __init__(self, clock: Clock, limits: RateLimits | None) -> None:
        self._clock = clock
        self._limits = limits
        self.violations = 0
        self._chats: dict[tuple[int, int], _ChatMeter] = {}
        self._bots: dict[int, _Bucket] = {}

    @property
    def limits(self) -> RateLimits | None:
        """Current limits, or None."""
        return self._limits

    @limits.setter
    def limits(self, limits: RateLimits | None) -> None:
        self._limits = limits
        self._chats.clear()
        self._bots.clear()

    def charge(self, bot_id: int, chat: EmulatedChat) -> int | None:
        """Count a message; return the seconds to wait if it exceeds a limit, else None."""
        limits = self.limits
        if limits is None:
            return None
        now = self._clock.monotonic()
        meter = self._chat(bot_id, chat.id, limits, now)
        total = self._bot(bot_id, limits, now)
        wait = max(meter.bucket.wait(now), total.wait(now))
        if not chat.is_private:
            wait = max(wait, meter.group_wait(now, limits.group_per_minute))
        if wait > 0:
            self.violations += 1
            return math.ceil(wait)
        meter.bucket.take()
        meter.recent.append(now)
        total.take()
        return None

    def _chat(self, bot_id: int, chat_id: int, limits: RateLimits, now: float) -> _ChatMeter:
        meter = self._chats.get((bot_id, chat_id))
        if meter is None:
            burst = float(limits.chat_burst)
            meter = _ChatMeter(_Bucket(limits.chat_per_second, burst, burst, now))
            self._chats[bot_id, chat_id] = meter
        return meter

    def _bot(self, bot_id: int, limits: RateLimits, now: float) -> _Bucket:
        bucket = self._bots.get(bot_id)
        if bucket is None:
            bucket = _Bucket(limits.bot_per_second, limits.bot_per_second, 0.0, now)
            bucket.level = bucket.size
            self._bots[bot_id] = bucket
        return bucket


def is_metered(method: str) -> bool:
    """Return whether calls of this method count."""
    return method.startswith(_METERED) and method not in _UNMETERED
