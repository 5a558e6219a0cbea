"""Adaptive interval between updates of a preview: longer after Telegram's errors, shorter while there are none."""

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["AdaptiveInterval", "Intervals", "Pace"]

_SLOWER = 2.0
_FASTER = 0.85
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """Timing of a display; all in seconds."""

    first_delay: float
    """Delay before the first preview: a quick answer needs none."""
    interval: float
    """Initial interval between two changes."""
    keep_alive: float
    """Time after which an unchanged display is refreshed; Telegram drops a draft after about 30."""
    last_call: float = 3.0
    """How long the end of an answer waits for a preview call under way, which must not arrive after the answer."""
    longest: float = 15.0
    """Longest interval between two changes, however many errors there are."""


class Intervals:
    """Intervals of the chats, kept from one answer to the next, so that earlier errors still count."""

    _CHATS = 10_000

    def __init__(self) -> None:
        self._by_chat: OrderedDict[int, AdaptiveInterval] = OrderedDict()

    def of(self, chat_id: int, pace: Pace) -> "AdaptiveInterval":
        """Return the interval of a chat; its topics share it, as they share Telegram's limits."""
        interval = self._by_chat.get(chat_id)
        if interval is None:
            interval = self._by_chat[chat_id] = AdaptiveInterval(pace)
            if len(self._by_chat) > self._CHATS:
                self._by_chat.popitem(last=False)
        self._by_chat.move_to_end(chat_id)
        return interval


class AdaptiveInterval:
    """Interval between two changes of a display, adapted to Telegram's errors."""

    def __init__(self, pace: Pace) -> None:
        """Start with the interval of ``pace``."""
        self._least = pace.interval * _LEAST_SHARE
        self._most = max(pace.interval, pace.longest)
        self._seconds = pace.interval

    @property
    def seconds(self) -> float:
        """Current interval."""
        return self._seconds

    def slow_down(self) -> None:
        """Lengthen the interval after an error."""
        self._seconds = min(self._most, self._seconds * _SLOWER)

    def speed_up(self) -> None:
        """Shorten the interval after a successful change."""
        self._seconds = max(self._least, self._seconds * _FASTER)
