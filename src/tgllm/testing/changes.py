"""Waiting for a state, woken by each change of it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["LOOK_SECONDS", "Changes"]

T = TypeVar("T")

LOOK_SECONDS = 0.05
"""How often a test looks at what is not counted as a change."""


class Changes:
    """Counts the changes of a state and tests what is being waited for at each of them.

    A probe runs inside the change itself, not a turn of the event loop later: a state that
    lasts for one request only is seen all the same.
    """

    def __init__(self) -> None:
        self.version = 0
        self._watchers: set[Callable[[], bool]] = set()

    def bump(self) -> None:
        """Say that something changed."""
        self.version += 1
        for watcher in tuple(self._watchers):
            if watcher():
                self._watchers.discard(watcher)

    async def first(self, probe: Callable[[], T | None], look_every: float | None = None) -> T:
        """Wait for the first value of ``probe`` that is true in the sense of Python.

        It is tested at each change, and every ``look_every`` seconds as well: what it tells may belong to somebody
        else, such as the bot under test, whose changes nobody counts here. An exception of ``probe`` is raised here.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def watcher() -> bool:
            return future.done() or _try_probe(probe, future)

        self._watchers.add(watcher)
        try:
            while not watcher():
                await asyncio.wait({future}, timeout=look_every)
            return await future
        finally:
            self._watchers.discard(watcher)


def _try_probe(probe: Callable[[], T | None], future: asyncio.Future[T]) -> bool:
    """Resolve ``future`` when the probe has something; tell whether it is resolved."""
    try:
        value = probe()
    except Exception as error:  # noqa: BLE001 - the probe is the waiter's, so is its error
        future.set_exception(error)
        return True
    if not value:
        return False
    future.set_result(value)
    return True
