"""Set of reading processes: started when needed, kept warm, replaced, ended."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Hashable, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

from tgllm.api.clock import Clock
from tgllm.api.errors import Stopped
from tgllm.services.reading.fair_queue import FairQueue
from tgllm.services.reading.process import Answer, ProcessEnded, ReadingProcess
from tgllm.services.reading.values import PoolSettings

__all__ = ["Processes"]

T = TypeVar("T")


class Processes:
    """Reading processes; each runs one task at a time."""

    def __init__(self, clock: Clock, settings: PoolSettings) -> None:
        """Create the set; nothing is started."""
        self._clock = clock
        self._settings = settings
        self._places = FairQueue(settings.processes)
        self._all: set[ReadingProcess] = set()
        """All that run or are ending."""
        self._ending: set[ReadingProcess] = set()
        self._idle: dict[ReadingProcess, asyncio.Task[None]] = {}
        """Processes without a task, each with the task that ends it; the one that was used last is the last."""
        self._tasks: set[asyncio.Task[None]] = set()
        """Tasks that wait for the end of an idle time or of a process."""
        self._folder: asyncio.Task[None] | None = None
        """Makes the folder of the settings."""
        self._running = 0
        """Number of calls that have a place."""
        self._quiet = asyncio.Event()
        """Set while there are none."""
        self._quiet.set()
        self._closed = False

    @property
    def pids(self) -> frozenset[int]:
        """Ids of the processes that run or are ending."""
        return frozenset(process.pid for process in self._all)

    @property
    def waiting(self) -> int:
        """Number of tasks that wait for a process."""
        return self._places.waiting

    async def ask(
        self,
        task: Mapping[str, Any],
        seconds: float,
        most_bytes: int,
        parse: Callable[[Answer], T],
        owner: Hashable,
    ) -> T:
        """Run a task in one of the processes.

        Args:
            task: see ``tasks.run``.
            seconds: time limit, without the time to wait for a process and to start it.
            most_bytes: maximum length of the answer without its header.
            parse: returns the result from the answer, or raises ``WireError``.
            owner: see ``FairQueue``.

        Raises:
            OSError: no process can be started.
            ProcessEnded: the process has ended, or sent something that is no answer.
            Stopped: the set is closed.
            TimeoutError: the time is over; the process is ended.
        """
        async with self._places.place(owner):
            with self._counted():
                process = await self._take()
                try:
                    answer = await process.ask(task, seconds, most_bytes)
                    result = process.checked(lambda: parse(answer))
                except BaseException as error:
                    # Also if this call is cancelled: otherwise the task would go on.
                    self._end(process)
                    if self._closed and isinstance(error, ProcessEnded):
                        raise Stopped from None
                    raise
                self._put_back(process, answer)
                return result

    async def aclose(self) -> None:
        """End all processes; what they run is given up, and what waits is not run. A second call waits, too."""
        self._closed = True
        for process in [*self._all]:
            self._end(process)
        # A call that is just starting a process ends it when it has one.
        await self._quiet.wait()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._folder is not None and self._settings.folder is not None:
            await asyncio.to_thread(rmtree, self._settings.folder, ignore_errors=True)

    @contextmanager
    def _counted(self) -> Generator[None]:
        self._running += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._quiet.set()

    async def _take(self) -> ReadingProcess:
        while self._idle and not self._closed:
            process, timer = self._idle.popitem()
            timer.cancel()
            if not process.has_ended:
                return process
            self._end(process)
        if self._closed:
            raise Stopped
        if self._folder is None:
            self._folder = self._owned(asyncio.to_thread(_make_empty, self._settings.folder))
        # Shielded: it is made once for all.
        await asyncio.shield(self._folder)
        process = await ReadingProcess.spawn(self._settings.folder)
        self._all.add(process)
        try:
            await process.get_ready(self._settings.start_seconds)
        except BaseException as error:
            self._end(process)
            if self._closed and isinstance(error, ProcessEnded):
                raise Stopped from None
            raise
        if self._closed:
            self._end(process)
            raise Stopped
        return process

    def _put_back(self, process: ReadingProcess, answer: Answer) -> None:
        process.tasks += 1
        if self._closed or answer.header.get("retire") is not False or process.tasks >= self._settings.tasks:
            self._end(process)
        else:
            self._idle[process] = self._owned(self._end_when_idle(process))

    async def _end_when_idle(self, process: ReadingProcess) -> None:
        await self._clock.sleep(self._settings.idle_seconds)
        if self._idle.pop(process, None):
            self._end(process)

    def _end(self, process: ReadingProcess) -> None:
        if timer := self._idle.pop(process, None):
            timer.cancel()
        if process not in self._ending:
            self._ending.add(process)
            process.kill()
            self._owned(self._close(process))

    async def _close(self, process: ReadingProcess) -> None:
        await process.aclose()
        self._all.discard(process)
        self._ending.discard(process)

    def _owned(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _make_empty(folder: Path | None) -> None:
    if folder is not None:
        rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
