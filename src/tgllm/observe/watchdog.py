"""Watchdog thread that notices code which blocks the event loop.

The loop can't notice it: none of its tasks runs meanwhile. The thread posts a call to the loop several times a second
and measures how long it stays unanswered.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Self

from tgllm.api.clock import Clock
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import LOOP_LAG

__all__ = ["HELD_SECONDS", "INTERVAL_SECONDS", "LoopHold", "LoopWatchdog", "Observer"]

log = get_logger(__name__)

INTERVAL_SECONDS = 0.25
"""Seconds between two looks."""
LAG_SECONDS = 10.0
"""How long a measured lag of the loop counts as present."""
HELD_SECONDS = 1.0
"""Seconds without an answer after which the loop counts as held."""
_BUSY = 0.5
"""Least share of CPU time in a gap between two looks for it to count as held: a suspended process uses none."""


@dataclass(frozen=True, slots=True)
class LoopHold:
    """A state of a held loop."""

    seconds: float
    """How long it has been held so far, or was held in the end."""
    frame: FrameType | None
    """Innermost frame of the loop's thread; None if the loop runs again."""


Observer = Callable[[LoopHold], None]
"""Callback on the watchdog's thread. It must not call the loop except by ``call_soon_threadsafe``."""


class LoopWatchdog:
    """Watch over one event loop. As a context manager it runs its daemon thread.

    Looks are counted instead of seconds, since a process that was suspended has held nothing. One gap between two looks
    counts by the clock if the process was busy in it: code in C that does not release the interpreter's lock, such as a
    regular expression, stops this thread as well.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, observe: Observer) -> None:
        """Create a watchdog.

        Args:
            loop: the loop; it runs on the current thread.
            clock: measures how long it was held.
            observe: called at each look while the loop is held, and once when it runs again (without a frame).
        """
        self._loop = loop
        self._clock = clock
        self._observe = observe
        self._loop_thread = threading.get_ident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tgllm-watchdog", daemon=True)
        self._posted = 0
        self._answered = 0
        self._posted_at = self._answered_at = self._looked_at = clock.monotonic()
        self._cpu_seconds = 0.0
        self._held_seconds = 0.0
        self._is_held = False
        self._lags: deque[tuple[float, float]] = deque(maxlen=int(LAG_SECONDS / INTERVAL_SECONDS))
        """When the latest calls were run, and how long they had waited."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(INTERVAL_SECONDS)

    def lag(self) -> float:
        """Return the longest time, of the last ten seconds and in seconds, that the loop took to run a call."""
        now = self._clock.monotonic()
        waiting = now - self._posted_at if self._answered != self._posted else 0.0
        return max([waiting, *(took for at, took in list(self._lags) if now - at <= LAG_SECONDS)])

    def look(self) -> None:
        """Look once; called by the thread."""
        gap = self._gap()
        if self._answered == self._posted:
            self._settle(gap)
            self._post()
            return
        self._held_seconds += gap
        if self._held_seconds >= HELD_SECONDS:
            self._is_held = True
            frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  documented by sys
            self._observe(LoopHold(self._held_seconds, frames.get(self._loop_thread)))

    def _settle(self, gap: float) -> None:
        """Report the end of a hold, or a hold that began and ended between two looks."""
        took = self._answered_at - self._posted_at
        if self._posted:
            LOOP_LAG.observe(took)
            self._lags.append((self._answered_at, took))
        if self._is_held or (gap >= HELD_SECONDS and took >= HELD_SECONDS):
            self._observe(LoopHold(took, None))
        self._is_held, self._held_seconds = False, 0.0

    def _post(self) -> None:
        number = self._posted = self._posted + 1
        self._posted_at = self._clock.monotonic()
        # RuntimeError: the loop is closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._answer, number)

    def _answer(self, number: int) -> None:
        self._answered_at = self._clock.monotonic()
        self._answered = number

    def _gap(self) -> float:
        """Return the seconds since the last look as far as they count."""
        now, times = self._clock.monotonic(), os.times()
        cpu_seconds = times.user + times.system
        gap, busy = now - self._looked_at, cpu_seconds - self._cpu_seconds
        self._looked_at, self._cpu_seconds = now, cpu_seconds
        return gap if busy >= _BUSY * gap else min(gap, INTERVAL_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  the thread must see the next block, whatever this one was
                log.error("watchdog.failed", error=repr(error))
