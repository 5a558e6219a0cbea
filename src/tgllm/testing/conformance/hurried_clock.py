"""A clock on which waits are over at once, so that retries with long pauses take no time in a test."""

from tgllm.api.clock import SystemClock

__all__ = ["HurriedClock"]


class HurriedClock:
    """Implements ``tgllm.api.clock.Clock``: each wait only moves the time on."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._slept = 0.0

    def now(self) -> float:
        """UTC as seconds since 1970, and the waits that were left out."""
        return self._real.now() + self._slept

    def monotonic(self) -> float:
        """Seconds since some moment, and the waits that were left out."""
        return self._real.monotonic() + self._slept

    async def sleep(self, seconds: float) -> None:
        """Give other tasks a turn, and let the time be ``seconds`` later."""
        self._slept += max(0.0, seconds)
        await self._real.sleep(0)
