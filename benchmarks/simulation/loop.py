"""An event loop with virtual time, which a seed and a number of steps determine, and which can stop at any step."""

# ruff: noqa: ANN401, SLF001  a loop handles functions of any kind, and asyncio's own is made of private parts

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

__all__ = ["InlineExecutor", "SimulatedClock", "SimulatedLoop", "Stuck", "Time", "run_now"]


class Stuck(Exception):
    """Nothing is left that could happen: neither a step nor a timer."""


@dataclass(slots=True)
class Time:
    """Virtual time in seconds, which outlives loops."""

    now: float = 1000.0


class SimulatedClock:
    """A ``tgllm.api.clock.Clock`` with the virtual time."""

    def __init__(self, time: Time) -> None:
        """Create the clock."""
        self._time = time

    def now(self) -> float:
        """Return seconds since 1970."""
        return 1_790_000_000.0 + self._time.now

    def monotonic(self) -> float:
        """Return the virtual time."""
        return self._time.now

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(max(0.0, seconds))


class SimulatedLoop(asyncio.BaseEventLoop):
    """asyncio's own loop without sockets and threads.

    Callbacks run in the order in which asyncio runs them; what may differ from run to run is how long everything
    outside of the loop takes, and that is a matter of timers. So equal timers give an equal run.
    """

    def __init__(self, time: Time, step: Callable[[], None]) -> None:
        """Create a loop.

        Args:
            time: the time that it advances while nothing is ready.
            step: called before each callback; what it raises ends the run, and leaves everything as it is.
        """
        super().__init__()
        self._virtual = time
        self._step = step
        self.tasks: list[asyncio.Task[Any]] = []
        """All tasks. They must stay after a crash, and asyncio finds those of a loop by a look at all others."""
        self._timers: list[asyncio.TimerHandle] = cast("list[asyncio.TimerHandle]", self._scheduled)  # type: ignore[attr-defined]  a private attribute of asyncio's loop

    def time(self) -> float:
        """Return the virtual time."""
        return self._virtual.now

    def create_task(self, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        """Create a task, and keep it."""
        task = super().create_task(coro, **options)
        self.tasks.append(task)
        return task

    def _process_events(self, event_list: object) -> None:
        """Do nothing: there are no sockets."""

    def _write_to_self(self) -> None:
        """Do nothing: there is no other thread."""

    def run_in_executor(  # type: ignore[override]  runs at once, in this thread
        self, _executor: object, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Run a function of a thread now, and return its result a moment later."""
        future = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001  as in a thread, it belongs to the future
            self.call_later(0.001, _fail, future, error)
        else:
            self.call_later(0.001, _resolve, future, result)
        return future

    def _run_once(self) -> None:
        ready = cast("Any", self)._ready
        timers = self._timers
        while timers and timers[0].cancelled():
            heapq.heappop(timers)._scheduled = False  # type: ignore[attr-defined]  a private attribute of asyncio's handle
        if not ready:
            if cast("Any", self)._stopping:
                return
            if not timers:
                raise Stuck
            self._virtual.now = max(self._virtual.now, timers[0].when())
        while timers and timers[0].when() <= self._virtual.now:
            handle = heapq.heappop(timers)
            handle._scheduled = False  # type: ignore[attr-defined]  a private attribute of asyncio's handle
            if not handle.cancelled():
                ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                self._step()
                handle._run()


def run_now(coroutine: Any) -> Any:
    """Run a coroutine that waits for nothing, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError(f"{coroutine.__qualname__} waits, outside of the loop")


def _resolve(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class InlineExecutor:
    """The thread of a database connection, without a thread.

    A job runs as a whole between two steps of the loop, after a while that ``latency`` returns. So a crash comes before
    its transaction, or after the commit and before its callers know; one in the middle leaves what one before it does.
    """

    latency: Callable[[], float] = staticmethod(lambda: 0.0)

    def __init__(self, **_: object) -> None:
        """Take the arguments of ThreadPoolExecutor."""

    def submit(self, job: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Run a job after a while on the running loop."""
        future: Future[Any] = Future()
        loop = asyncio.get_running_loop()
        loop.call_later(type(self).latency(), _run_job, future, job, args)
        return future

    def shutdown(self, *, wait: bool = True) -> None:
        """Do nothing."""


def _run_job(future: "Future[Any]", job: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        future.set_result(job(*args))
    except Exception as error:  # noqa: BLE001  as in a thread
        future.set_exception(error)
