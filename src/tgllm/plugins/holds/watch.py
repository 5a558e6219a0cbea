"""Watch over the event loop: logs who blocks it, interrupts plugins, and ends a program that can't shut down."""

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.observe.watchdog import LoopHold, LoopWatchdog
from tgllm.plugins.holds.interrupt import BlockedTheLoop, StillBlocksTheLoop, interrupt, interruptible
from tgllm.plugins.holds.log import Hold, HoldLog
from tgllm.plugins.holds.owners import CORE, Owners, place_of

__all__ = ["HoldLimits", "HoldWatch"]


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """Time limits for code that blocks the event loop, in seconds."""

    plugin_seconds: float = 10.0
    """After which code of a plugin is interrupted; during a shutdown at once."""
    again_seconds: float = 2.0
    """After which it is interrupted again, if it has caught the first exception."""
    shutdown_seconds: float = 20.0
    """After which a program that is to shut down ends without its event loop."""


def _end_process() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


class HoldWatch:
    """Watch over the running event loop. Its callbacks run on the watchdog's thread."""

    def __init__(
        self,
        clock: Clock,
        log: Log,
        limits: HoldLimits,
        *,
        stopping: Callable[[], bool] = lambda: False,
        end_process: Callable[[], None] = _end_process,
    ) -> None:
        """Create a watch; ``watching`` starts it.

        Args:
            clock: source of time.
            log: where blocks are logged.
            limits: time limits.
            stopping: whether a shutdown was requested; called from another thread.
            end_process: ends the process without the event loop.
        """
        self._clock = clock
        self._log = log
        self._limits = limits
        self._stopping = stopping
        self._end_process = end_process
        self._owners = Owners()
        self._record: HoldLog | None = None
        self._hold: Hold | None = None
        self._is_of_startup = False
        """Whether the current block was noticed before ``attach``."""
        self._interrupts = 0
        self._interrupt_at = 0.0
        self._stopping_since: float | None = None
        self._lag: Callable[[], float] = lambda: 0.0

    def attach(self, owners: Owners, record: HoldLog) -> None:
        """Attribute blocks to these plugins, and record them.

        Blocks that are noticed before this call are those of imports at startup, so they are not reported, unless they
        still last.
        """
        self._owners, self._record = owners, record

    @contextmanager
    def watching(self) -> Generator[None]:
        """Watch the running loop for the duration of a ``with``."""
        watchdog = LoopWatchdog(asyncio.get_running_loop(), self._clock, self.observe)
        with interruptible(self._error_for), watchdog:
            self._lag = watchdog.lag
            yield

    def lag(self) -> float:
        """Return how late the loop ran calls of the last ten seconds, at most, in seconds."""
        return self._lag()

    def observe(self, held: LoopHold) -> None:
        """Take a state of the loop from the watchdog."""
        if self._record is None:
            self._is_of_startup = held.frame is not None
            return
        if self._hold is None and self._is_of_startup and held.frame is None:
            # Ended before a look after ``attach``.
            self._is_of_startup = False
            return
        self._is_of_startup = False
        if self._hold is None:
            self._begin(held)
        if held.frame is None:
            self._end(held.seconds)
        else:
            self._limit(held.seconds)

    def _begin(self, held: LoopHold) -> None:
        place = place_of(held.frame, self._owners)
        self._hold = Hold(place, self._clock.now() - held.seconds, held.seconds)
        self._interrupts, self._interrupt_at = 0, self._limits.plugin_seconds
        self._note(self._hold)
        self._log.error(
            "loop.held",
            plugin=place.plugin_id,
            function=place.function,
            at=place.at,
            seconds=round(held.seconds, 1),
            # A text, because the console format shows this key as one.
            stack="\n".join(place.stack),
        )

    def _end(self, seconds: float) -> None:
        if self._hold is None:
            return
        ended, self._hold, self._stopping_since = replace(self._hold, seconds=seconds), None, None
        self._note(ended)
        self._log.warning("loop.released", plugin=ended.place.plugin_id, seconds=round(seconds, 1))

    def _note(self, hold: Hold) -> None:
        if self._record is not None:
            self._record.note(hold)

    def _limit(self, seconds: float) -> None:
        """Interrupt a plugin, or end the process, if a limit has passed."""
        if self._hold is None:
            return
        is_stopping = self._stopping()
        if is_stopping and self._stopping_since is None:
            self._stopping_since = seconds
            self._interrupt_at = min(self._interrupt_at, seconds)
        if self._hold.place.plugin_id != CORE and seconds >= self._interrupt_at:
            self._interrupt_at = seconds + self._limits.again_seconds
            self._interrupts += 1
            interrupt()
        if self._stopping_since is not None and seconds - self._stopping_since >= self._limits.shutdown_seconds:
            place = self._hold.place
            self._log.error(
                "bot.shutdown_forced",
                plugin=place.plugin_id,
                at=place.at,
                reason="the event loop is blocked, so the program ends without it; nothing that was stored is lost",
            )
            self._end_process()

    def _error_for(self, frame: FrameType | None) -> BaseException | None:
        """Return what to raise in an interrupted frame; called on the main thread."""
        hold = self._hold
        owner = self._owners.of(frame)
        # The code may have ended since the interruption was requested.
        if hold is None or owner is None or owner[0] != hold.place.plugin_id:
            return None
        words = f"it blocked the bot for more than {self._clock.now() - hold.began:.0f} s"
        return BlockedTheLoop(words) if self._interrupts <= 1 else StillBlocksTheLoop(words)
