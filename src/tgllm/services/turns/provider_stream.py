"""Isolated consumption of a provider's stream: a faulty provider can neither block nor end the bot."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast

from tgllm.api import Finished, StreamEvent
from tgllm.api.clock import Clock, SystemClock
from tgllm.observe.logs import get_logger
from tgllm.plugins.calls.fairness import Burst, LoopShare
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, explain
from tgllm.plugins.calls.strays import Strays, outcome_of

__all__ = ["Streams"]

log = get_logger(__name__)

Begin = Callable[[], AsyncGenerator[StreamEvent, None]]
Take = Callable[[StreamEvent], None]


class Streams:
    """Consumes streams. Closing it cancels again the tasks that did not end when they were cancelled."""

    def __init__(self, close_seconds: float, clock: Clock | None = None) -> None:
        """Set the timeout for the closing of a stream, and the clock that limits bursts of events."""
        self._seconds = close_seconds
        self._share = LoopShare(clock or SystemClock())
        self._strays = Strays(close_seconds)

    async def play(self, begin: Begin, take: Take) -> Returned[bool] | Raised:
        """Pass the events of a stream to ``take`` up to its ``Finished``; then, or on cancellation, close the stream.

        ``take`` is not called after this returns. Errors while a finished stream is closed are only logged, since the
        answer is complete.

        Returns:
            Whether there was a Finished event, or the exception of the provider.
        """
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        # A separate task, since a generator may swallow cancellation, hang while it is closed, or raise anything.
        task = asyncio.create_task(outcome_of(_pump(begin, take, ended, Burst(self._share))))
        task.add_done_callback(lambda _: _settle(ended, finished=False))
        try:
            finished = await ended
            if finished and not task.done():
                await asyncio.wait({task}, timeout=self._seconds)
        finally:
            # From here on, _pump drops events: take must not be called after this method returns.
            ended.cancel()
            if not task.done():
                await self._strays.end(task)
        return _after_the_end(task) if finished else _result(task)

    async def aclose(self) -> None:
        """Cancel again the streams that did not end in time."""
        await self._strays.aclose()


async def _pump(begin: Begin, take: Take, ended: "asyncio.Future[bool]", burst: Burst) -> None:
    async with aclosing(_checked(begin())) as events:
        async for event in events:
            if ended.done():
                return
            take(event)
            if isinstance(event, Finished):
                _settle(ended, finished=True)
                return
            await burst.add()


def _checked(stream: object) -> AsyncGenerator[StreamEvent, None]:
    """Check the result of ``generate``, since a plugin may not be type-checked."""
    if hasattr(stream, "__aiter__") and hasattr(stream, "aclose"):
        return cast("AsyncGenerator[StreamEvent, None]", stream)
    if inspect.iscoroutine(stream):
        stream.close()
    raise TypeError(
        f"generate returned a {type(stream).__name__} instead of an async generator: "
        "write it as async def, and yield the events"
    )


def _settle(ended: "asyncio.Future[bool]", *, finished: bool) -> None:
    if not ended.done():
        ended.set_result(finished)


def _result(task: "asyncio.Task[Outcome[None]]") -> Returned[bool] | Raised:
    outcome = task.result()
    return outcome if isinstance(outcome, Raised) else Returned(value=False)


def _after_the_end(task: "asyncio.Task[Outcome[None]]") -> Returned[bool]:
    if not task.done():
        log.warning("stream.not_closed")
    elif isinstance(outcome := task.result(), Raised):
        log.warning("stream.close_failed", error=explain(outcome.error))
    return Returned(value=True)
