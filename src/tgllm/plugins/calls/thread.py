"""Thread that runs plain functions of plugins with a time limit.

A plain function can't be cancelled. It runs in a daemon thread, which is abandoned on timeout: the bot continues, and
the thread does not prevent the process from exiting.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut

__all__ = ["HookThread"]

T = TypeVar("T")

_Jobs = queue.SimpleQueue[Callable[[], None] | None]


class HookThread:
    """Thread for calls one after another; a thread that hangs is replaced for the next call."""

    def __init__(self) -> None:
        self._jobs: _Jobs | None = None

    async def run(self, function: Callable[[], T], seconds: float) -> Outcome[T]:
        """Call ``function`` in the thread and wait for it, for at most ``seconds``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome[T]] = loop.create_future()
        self._started().put(lambda: _report(function, loop, future))
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return TimedOut(seconds)
        finally:
            if not future.done() or future.cancelled():
                self.close()

    def close(self) -> None:
        """Let the thread end after its current call, if any."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None

    def _started(self) -> _Jobs:
        if self._jobs is None:
            self._jobs = queue.SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name="tgllm-plugins", daemon=True).start()
        return self._jobs


def _work(jobs: _Jobs) -> None:
    while (job := jobs.get()) is not None:
        job()


def _report(function: Callable[[], T], loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Outcome[T]]") -> None:
    outcome = _outcome(function)
    # RuntimeError: the loop is already closed, because an abandoned call has ended after the program's work.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, future, outcome)


def _outcome(function: Callable[[], T]) -> Outcome[T]:
    try:
        return Returned(function())
    except BaseException as error:  # noqa: BLE001  this thread runs only plugin code, so even SystemExit is its outcome
        return Raised(error)


def _settle(future: "asyncio.Future[Outcome[T]]", outcome: Outcome[T]) -> None:
    if not future.done():
        future.set_result(outcome)
