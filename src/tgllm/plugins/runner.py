"""Call hooks on the event loop: plain ones at once, asynchronous ones with a time limit."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from tgllm.plugins.outcome import Outcome, Raised, Returned, TimedOut

__all__ = ["HookRunner"]


class HookRunner:
    """Calls one implementation at a time and says what became of it; raises only what comes from outside."""

    def __init__(self, seconds: float, grace_seconds: float) -> None:
        """Make a caller.

        Args:
            seconds: that an asynchronous implementation may take.
            grace_seconds: that a cancelled one has for its clean-up.
        """
        self._seconds = seconds
        self._grace = grace_seconds
        self._strays: set[asyncio.Task[Outcome[object]]] = set()

    async def call(self, function: Callable[..., object], *arguments: object) -> Outcome[object]:
        """Call a function, and await what it returns if that can be awaited."""
        try:
            result = function(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  nothing was awaited, so all of it is the plugin's
            return Raised(error)
        return await self._finish(result) if inspect.isawaitable(result) else Returned(result)

    async def aclose(self) -> None:
        """Cancel again what did not end when it was told to."""
        for task in self._strays:
            task.cancel()
        if self._strays:
            await asyncio.wait(self._strays, timeout=self._grace)

    async def _finish(self, awaitable: Awaitable[object]) -> Outcome[object]:
        # A task of its own: a coroutine that swallows its cancellation would otherwise hold up the caller for ever.
        task = asyncio.create_task(_outcome(awaitable))
        try:
            done, _ = await asyncio.wait({task}, timeout=self._seconds)
            return task.result() if done else TimedOut(self._seconds)
        finally:
            if not task.done():
                await self._stop(task)

    async def _stop(self, task: "asyncio.Task[Outcome[object]]") -> None:
        self._strays.add(task)
        task.add_done_callback(self._strays.discard)
        task.cancel()
        await asyncio.wait({task}, timeout=self._grace)


async def _outcome(awaitable: Awaitable[object]) -> Outcome[object]:
    try:
        return Returned(await awaitable)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  the task that this is in holds the plugin's code and nothing else
        return Raised(error)
