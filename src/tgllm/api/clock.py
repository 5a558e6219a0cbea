"""Injectable clock, so that code with timeouts can be tested without waiting.

This is the only module of tgllm that reads the system's clock.
"""

import time
from typing import Protocol, runtime_checkable

__all__ = ["Clock", "SystemClock", "milliseconds"]


@runtime_checkable
class Clock(Protocol):
    """Source of time and sleep."""

    def now(self) -> float:
        """Return UTC as seconds since 1970; may jump when the system's clock is set."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backward; the difference of two calls is a duration."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; a value of 0 or less yields to other tasks."""
        ...


class SystemClock:
    """The system's clock."""

    def now(self) -> float:
        """Return UTC as seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since an unspecified point in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` on the running event loop."""
        import asyncio  # noqa: PLC0415  a shell command that only asks for the time does without it

        await asyncio.sleep(max(0.0, seconds))


def milliseconds(clock: Clock) -> int:
    """Return UTC as whole milliseconds since 1970, the unit of stored times."""
    return int(clock.now() * 1000)
