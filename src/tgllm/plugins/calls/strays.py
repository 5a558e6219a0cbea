"""Isolation of plugin coroutines: errors become values, and tasks that ignore cancellation block no caller."""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import TypeVar

from tgllm.plugins.calls.outcome import Outcome, Raised, Returned

__all__ = ["Strays", "is_of_person", "outcome_of"]

T = TypeVar("T")


async def outcome_of(awaitable: Awaitable[T]) -> Outcome[T]:
    """Await a plugin's awaitable and return its outcome; run this as a separate task, which then never raises."""
    try:
        return Returned(await awaitable)
    except BaseException as error:
        if is_of_person(error):
            raise
        # The task runs only plugin code, so a cancellation is its outcome too.
        return Raised(error)


class Strays:
    """Set of cancelled tasks; those that ignore their cancellation are kept here and no longer awaited."""

    def __init__(self, grace_seconds: float) -> None:
        """Create an empty set; a cancelled task has ``grace_seconds`` for its clean-up."""
        self._grace = grace_seconds
        self._tasks: set[asyncio.Task[object]] = set()

    async def end(self, task: "asyncio.Task[object]") -> None:
        """Cancel a task and wait for its end, at most for the grace period."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.cancel()
        await asyncio.wait({task}, timeout=self._grace)

    async def aclose(self) -> None:
        """Cancel again the tasks that ignored their cancellation."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._grace)


def is_of_person(error: BaseException) -> bool:
    """Whether a ``KeyboardInterrupt`` comes from Ctrl-C in a shell command.

    asyncio's runner handles the signal there and raises the exception in its own function. The running bot handles the
    signal itself (``tgllm.program``), so no interrupt in it comes from a person.
    """
    return isinstance(error, KeyboardInterrupt) and _raised_in(error.__traceback__) == "asyncio.runners"


def _raised_in(traceback: TracebackType | None) -> str:
    """Return the name of the module whose code raised the exception."""
    name = ""
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__"))
        traceback = traceback.tb_next
    return name
