"""Calls of plain and asynchronous hooks, with a time limit for what can be interrupted."""

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable

from tgllm.db.engine.gate import StorageGate
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut
from tgllm.plugins.calls.strays import Strays, is_of_person, outcome_of
from tgllm.plugins.calls.thread import HookThread

__all__ = ["HookRunner"]


class HookRunner:
    """Runner of hook implementations; errors of a plugin are returned as outcomes, never raised."""

    def __init__(
        self, seconds: float, grace_seconds: float, *, strict: bool = False, storage: StorageGate | None = None
    ) -> None:
        """Create a runner.

        Args:
            seconds: time limit for an implementation that is asynchronous or runs in a thread.
            grace_seconds: time limit for the clean-up of a cancelled implementation.
            strict: whether a call counts as timed out that blocks the event loop, so that it can't be cancelled, and
                returns after the limit. Its result is dropped.
            storage: while it is closed, time does not count, since the call may wait for the plugin's stored values.
        """
        self._storage = storage
        self._seconds = seconds
        self._strict = strict
        self._strays = Strays(grace_seconds)

    async def call(self, function: Callable[..., object], *arguments: object) -> Outcome[object]:
        """Call a function on the event loop, and await its result if it is awaitable."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            result = function(*arguments)
        except BaseException as error:
            if is_of_person(error):
                raise
            # Nothing was awaited, so the error is the plugin's.
            return Raised(error)
        if inspect.isawaitable(result):
            return await self._finish(result)
        return self._judged(Returned(result), loop.time() - began)

    async def call_aside(self, function: Callable[..., object], *arguments: object) -> Outcome[object]:
        """Call a plain function in a thread, where one that hangs is abandoned; for rare calls."""
        if inspect.iscoroutinefunction(function):
            # Calling it runs nothing of it yet. Without a thread, several calls begin in the order of the calls.
            return await self._finish(function(*arguments))
        thread = HookThread()
        try:
            outcome = await thread.run(lambda: function(*arguments), self._seconds)
        finally:
            thread.close()
        if not isinstance(outcome, Returned) or not inspect.isawaitable(outcome.value):
            return outcome
        return await self._finish(outcome.value)

    async def aclose(self) -> None:
        """Cancel again the tasks that ignored their cancellation."""
        await self._strays.aclose()

    def _judged(self, outcome: Outcome[object], took: float) -> Outcome[object]:
        if self._strict and isinstance(outcome, Returned) and took > self._seconds:
            return TimedOut(self._seconds, has_blocked=True)
        return outcome

    async def _finish(self, awaitable: Awaitable[object]) -> Outcome[object]:
        # A separate task: otherwise a coroutine that ignores its cancellation would block the caller forever.
        task = asyncio.create_task(outcome_of(awaitable))
        loop = asyncio.get_running_loop()
        try:
            while True:
                began, closings = loop.time(), self._closings()
                done = await self._ended_in_time(task)
                if closings != self._closings() and not done:
                    # The plugin may have waited for its stored values. It gets its time once they can be stored.
                    await self._storage_or(task)
                    continue
                return self._judged(task.result(), loop.time() - began) if done else TimedOut(self._seconds)
        finally:
            if not task.done():
                await self._strays.end(task)

    async def _ended_in_time(self, task: "asyncio.Task[Outcome[object]]") -> bool:
        """Wait for the end of a task, at most for the time limit."""
        done, _ = await asyncio.wait({task}, timeout=self._seconds)
        return bool(done)

    def _closings(self) -> float:
        """Return how often the storage has closed; another number at each call while it is closed."""
        if self._storage is None:
            return 0
        return self._storage.closings if self._storage.obstacle is None else math.nan

    async def _storage_or(self, task: "asyncio.Task[Outcome[object]]") -> None:
        """Wait until the database can be written, or for the end of the task."""
        if self._storage is None:
            return
        opening = asyncio.create_task(self._storage.wait_open())
        try:
            await asyncio.wait({task, opening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opening.cancel()
