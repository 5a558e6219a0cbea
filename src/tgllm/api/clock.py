"""Time as a service, so that everything with a deadline can be tested without waiting.

This is the only module of tgllm that asks the operating system for the time.
"""

import asyncio
import time
from typing import Protocol, runtime_checkable

__all__ = ["Clock", "SystemClock", "milliseconds"]


@runtime_checkable
class Clock(Protocol):
    """What tells the time and waits."""

    def now(self) -> float:
        """UTC as seconds since 1970; may jump when the system's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward; the difference of two calls is a duration."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; less than or equal to zero gives other tasks a turn."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """UTC as seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` on the running event loop."""
        await asyncio.sleep(max(0.0, seconds))


def milliseconds(clock: Clock) -> int:
    """UTC as whole milliseconds since 1970: the form in which times are stored."""
    return int(clock.now() * 1000)
