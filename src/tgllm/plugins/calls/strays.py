"""Code of plugins on the event loop, so that whatever it raises is a value and what does not end holds up nobody."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from tgllm.plugins.calls.outcome import Outcome, Raised, Returned

__all__ = ["Strays", "outcome_of"]

T = TypeVar("T")


async def outcome_of(awaitable: Awaitable[T]) -> Outcome[T]:
    """Await what is a plugin's; to be run as a task of its own, which then never ends with an exception."""
    try:
        return Returned(await awaitable)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  the task that this is in holds the plugin's code and nothing else
        return Raised(error)


class Strays:
    """Tasks that were told to end. One that swallows its cancellation is kept here, and waited for no longer."""

    def __init__(self, grace_seconds: float) -> None:
        """Give a cancelled task that many seconds for its clean-up."""
        self._grace = grace_seconds
        self._tasks: set[asyncio.Task[object]] = set()

    async def end(self, task: "asyncio.Task[object]") -> None:
        """Cancel a task and wait for its end, but not longer than the grace."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.cancel()
        await asyncio.wait({task}, timeout=self._grace)

    async def aclose(self) -> None:
        """Cancel again what did not end when it was told to."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace)
