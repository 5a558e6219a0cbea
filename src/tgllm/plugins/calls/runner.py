"""Call hooks that may be plain or asynchronous: the latter with a time limit, plain ones at once or in a thread."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut
from tgllm.plugins.calls.strays import Strays, outcome_of
from tgllm.plugins.calls.thread import HookThread

__all__ = ["HookRunner"]


class HookRunner:
    """Calls one implementation at a time and says what became of it; raises only what comes from outside."""

    def __init__(self, seconds: float, grace_seconds: float) -> None:
        """Make a caller.

        Args:
            seconds: that an asynchronous implementation may take, or one in a thread.
            grace_seconds: that a cancelled one has for its clean-up.
        """
        self._seconds = seconds
        self._strays = Strays(grace_seconds)

    async def call(self, function: Callable[..., object], *arguments: object) -> Outcome[object]:
        """Call a function, and await what it returns if that can be awaited."""
        try:
            result = function(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  nothing was awaited, so all of it is the plugin's
            return Raised(error)
        return await self._finish(result) if inspect.isawaitable(result) else Returned(result)

    async def call_aside(self, function: Callable[..., object], *arguments: object) -> Outcome[object]:
        """The same in a thread, for what is called seldom: a plain function that hangs is given up then."""
        thread = HookThread()
        try:
            outcome = await thread.run(lambda: function(*arguments), self._seconds)
        finally:
            thread.close()
        if isinstance(outcome, Returned) and inspect.isawaitable(outcome.value):
            return await self._finish(outcome.value)
        return outcome

    async def aclose(self) -> None:
        """Cancel again what did not end when it was told to."""
        await self._strays.aclose()

    async def _finish(self, awaitable: Awaitable[object]) -> Outcome[object]:
        # A task of its own: a coroutine that swallows its cancellation would otherwise hold up the caller for ever.
        task = asyncio.create_task(outcome_of(awaitable))
        try:
            done, _ = await asyncio.wait({task}, timeout=self._seconds)
            return task.result() if done else TimedOut(self._seconds)
        finally:
            if not task.done():
                await self._strays.end(task)
