"""Waiting for a state, with a check at each change."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["LOOK_SECONDS", "Changes"]

T = TypeVar("T")

LOOK_SECONDS = 0.05
"""Interval in seconds of checks that don't depend on a counted change."""


class Changes:
    """Counter of the changes of a state, with probes that are checked at each change.

    A probe runs within the change itself, not in a later iteration of the event loop, so that it also detects a
    state that lasts for only one request.
    """

    def __init__(self) -> None:
        self.version = 0
        self._watchers: set[Callable[[], bool]] = set()

    def bump(self) -> None:
        """Count a change."""
        self.version += 1
        for watcher in tuple(self._watchers):
            if watcher():
                self._watchers.discard(watcher)

    async def first(self, probe: Callable[[], T | None], look_every: float | None = None) -> T:
        """Wait for the first value of ``probe`` that is truthy.

        It is checked at each change and, if given, every ``look_every`` seconds: it may depend on a state whose changes
        are not counted here, such as that of the bot under test. An exception of ``probe`` is raised here.
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
    """Resolve ``future`` if the probe has a result; return whether it is resolved."""
    try:
        value = probe()
    except Exception as error:  # noqa: BLE001 - errors of the probe are raised in the waiting task
        future.set_exception(error)
        return True
    if not value:
        return False
    future.set_result(value)
    return True
