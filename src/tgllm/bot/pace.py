"""How often a growing answer is shown again: slower after Telegram has complained, faster while it does not."""

from dataclasses import dataclass

__all__ = ["AdaptiveInterval", "Pace"]

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
