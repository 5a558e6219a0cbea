"""Event loop of a chat, on a thread of its own: the main thread waits for the person, and gets the signals."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from tgllm.db.engine.unit import Connection
from tgllm.services.shell_core import ShellCore

__all__ = ["Engine"]

T = TypeVar("T")


class Engine:
    """Runs coroutines on its loop, with opened services; entering it opens them, leaving it closes them."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[ShellCore]]) -> None:
        """Create an engine; ``opening`` opens the services."""
        self._opening = opening
        self._opened: Future[ShellCore] = Future()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, name="tgllm-chat")

    @property
    def core(self) -> ShellCore:
        """The opened services."""
        return self._opened.result()

    def __enter__(self) -> Self:
        """Open the services.

        Raises:
            TgllmError: they can't be opened.
        """
        try:
            self._thread.start()
            self._opened.result()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the services."""
        self._end()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin to run a coroutine."""
        assert self._loop is not None  # noqa: S101  entered
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an interruption cancels it."""
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[[], object]) -> None:
        """Call a function on the loop, without waiting for it."""
        assert self._loop is not None  # noqa: S101  entered
        self._loop.call_soon_threadsafe(function)

    def write(self, *units: Callable[[Connection], object]) -> None:
        """Run units of work in one transaction."""

        def unit(conn: Connection) -> None:
            for each in units:
                each(conn)

        if units:
            self.run(self.core.database.write(unit))

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the database."""
        return self.run(self.core.database.read(query))

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001  passed to the thread that waits
            if not self._opened.done():
                self._opened.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._task, self._stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
        if self._has_ended:
            # Ctrl-C came before this thread ran, when there was no task to cancel.
            return
        async with self._opening() as core:
            self._opened.set_result(core)
            await self._stop.wait()

    def _end(self) -> None:
        self._has_ended = True
        loop, stop, task = self._loop, self._stop, self._task
        if loop is not None and stop is not None and task is not None and not loop.is_closed():
            end = stop.set if self._opened.done() else task.cancel
            # It may have been closed meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(end)
        if self._thread.ident is not None:
            self._thread.join()
