"""Answers of synchronous models, each read in a thread of its own."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Threads"]

_END: Final = object()
_CLOSING_SECONDS: Final = 2.0
"""Time for threads to end; one that waits for a service can't be interrupted, and ends with the process."""


@dataclass(slots=True, eq=False)
class _Reading:
    """An iteration in a thread."""

    items: "asyncio.Queue[object]"
    stop: threading.Event = field(default_factory=threading.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Threads:
    """A bounded number of threads, which run while an answer is read. Used from one event loop."""

    most: int
    _running: set[_Reading] = field(default_factory=set[_Reading])
    _free: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_full(self) -> bool:
        """Whether the next answer has to wait for the end of another."""
        return len(self._running) >= self.most

    async def read(self, iterate: Callable[[], Iterator[Any]]) -> AsyncGenerator[Any, None]:
        """Yield the items of an iterator that blocks, in a thread.

        Closing this early closes the iterator as soon as it yields; its place is taken until then.
        """
        while self.is_full:
            self._free.clear()
            await self._free.wait()
        reading = _Reading(asyncio.Queue())
        self._running.add(reading)
        self._start(reading, iterate)
        try:
            while (item := await reading.items.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            reading.stop.set()

    async def aclose(self) -> None:
        """Stop all threads, and wait a moment for their end."""
        running = [*self._running]
        for reading in running:
            reading.stop.set()
        if running:
            waits = [asyncio.ensure_future(reading.ended.wait()) for reading in running]
            _, late = await asyncio.wait(waits, timeout=_CLOSING_SECONDS)
            for wait in late:
                wait.cancel()

    def _start(self, reading: _Reading, iterate: Callable[[], Iterator[Any]]) -> None:
        loop = asyncio.get_running_loop()

        def put(item: object) -> None:
            # The loop may be closed: the program ends.
            if not loop.is_closed():
                loop.call_soon_threadsafe(reading.items.put_nowait, item)

        def work() -> None:
            try:
                items = iterate()
                for item in items:
                    if reading.stop.is_set():
                        _close(items)
                        break
                    put(item)
                put(_END)
            except BaseException as error:  # noqa: BLE001  raised where the items are read
                put(RuntimeError(str(error)) if isinstance(error, StopIteration) else error)
            finally:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._end, reading)

        context = contextvars.copy_context()
        threading.Thread(target=lambda: context.run(work), name="llm answer", daemon=True).start()

    def _end(self, reading: _Reading) -> None:
        self._running.discard(reading)
        reading.ended.set()
        self._free.set()


def _close(items: Iterator[Any]) -> None:
    close = getattr(items, "close", None)
    if callable(close):
        close()
