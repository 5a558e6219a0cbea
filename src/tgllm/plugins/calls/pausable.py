"""Calls of plugin code whose time stands still while a person is asked."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.calls.strays import Strays

if TYPE_CHECKING:
    from tgllm.plugins.calls.outcome import Outcome

__all__ = ["Allowance", "PausableRunner"]


class Allowance:
    """Time of one call."""

    def __init__(self, seconds: float) -> None:
        """Begin with ``seconds``, which pass from now on."""
        self._loop = asyncio.get_running_loop()
        self._left = seconds
        self._since = self._loop.time()
        self._pauses = 0
        self._changed = asyncio.Event()

    @contextmanager
    def standing_still(self) -> Generator[None]:
        """Within this block, no time passes."""
        if not self._pauses:
            self._left -= self._loop.time() - self._since
        self._pauses += 1
        self._changed.set()
        try:
            yield
        finally:
            self._pauses -= 1
            self._since = self._loop.time()
            self._changed.set()

    async def wait(self, task: "asyncio.Task[Outcome[object]]") -> bool:
        """Wait for the end of a task; return False if the time is over before."""
        while not task.done():
            left = None if self._pauses else self._left - (self._loop.time() - self._since)
            if left is not None and left <= 0:
                return False
            self._changed.clear()
            change = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({task, change}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                change.cancel()
        return True


class PausableRunner(HookRunner):
    """Runner of one call with an allowance."""

    def __init__(self, seconds: float, allowance: Allowance, strays: Strays) -> None:
        """Create a runner.

        Args:
            seconds: of the allowance, for messages.
            allowance: time of the call.
            strays: keeps the call if it ignores its cancellation.
        """
        super().__init__(seconds, 0.0)
        self._allowance = allowance
        self._strays = strays

    async def _ended_in_time(self, task: "asyncio.Task[Outcome[object]]") -> bool:
        return await self._allowance.wait(task)
