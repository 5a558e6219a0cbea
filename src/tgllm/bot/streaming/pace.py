"""How often a growing answer is shown again: slower after Telegram has complained, faster while it does not."""

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["AdaptiveInterval", "Intervals", "Pace"]

_SLOWER = 2.0
_FASTER = 0.85
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a display changes; all in seconds."""

    first_delay: float
    """Text gathers that long before anything is shown: a quick answer needs no preview."""
    interval: float
    """Between two changes, to begin with."""
    keep_alive: float
    """An unchanged display is refreshed that long after it was shown; Telegram drops a draft after about 30."""
    last_call: float = 3.0
    """How long the end of an answer waits for a preview that is on its way, so that it can't arrive after it."""
    longest: float = 15.0
    """Between two changes at most, however often Telegram complains."""


class Intervals:
    """The intervals of chats, from one answer to the next: what Telegram has complained of is remembered."""

    _CHATS = 10_000

    def __init__(self) -> None:
        """Know no chat yet."""
        self._by_chat: OrderedDict[int, AdaptiveInterval] = OrderedDict()

    def of(self, chat_id: int, pace: Pace) -> "AdaptiveInterval":
        """The interval of a chat; all its topics share it, as they share Telegram's limits."""
        interval = self._by_chat.get(chat_id)
        if interval is None:
            interval = self._by_chat[chat_id] = AdaptiveInterval(pace)
            if len(self._by_chat) > self._CHATS:
                self._by_chat.popitem(last=False)
        self._by_chat.move_to_end(chat_id)
        return interval


class AdaptiveInterval:
    """The seconds between two changes of one display, as Telegram takes them."""

    def __init__(self, pace: Pace) -> None:
        """Begin with the interval of ``pace``."""
        self._least = pace.interval * _LEAST_SHARE
        self._most = max(pace.interval, pace.longest)
        self._seconds = pace.interval

    @property
    def seconds(self) -> float:
        """The interval now."""
        return self._seconds

    def slow_down(self) -> None:
        """Telegram asked to wait."""
        self._seconds = min(self._most, self._seconds * _SLOWER)

    def speed_up(self) -> None:
        """A change went through."""
        self._seconds = max(self._least, self._seconds * _FASTER)
