"""Import of what only updates and answers need, while the first request for updates is under way.

A third of what a running bot imports handles updates. Without it the first getUpdates is sent sooner, and an update
that waits is answered no later: it is stored as soon as everything is there.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from typing import Any, Final, TypeVar

__all__ = ["LATE_MODULES", "Loading"]

LATE_MODULES: Final = ("tgllm.bot.assembly", "tgllm.bot.rendering.render")
SENDING_SECONDS: Final = 0.05
"""Time in which a request is sent, which takes turns with the import."""

T = TypeVar("T")


class Loading:
    """Imports the late modules in a thread, once."""

    def __init__(self) -> None:
        """Import nothing yet; ``run`` does."""
        self._wanted = asyncio.Event()
        self._done = asyncio.Event()

    async def run(self, receiving: Iterable[asyncio.Task[Any]], finish: Callable[[], None]) -> None:
        """Import, then call ``finish`` on the event loop, and let the updates pass.

        Args:
            receiving: tasks that receive updates; if one has ended, nothing is waited for.
            finish: connects what was imported.
        """
        if any(name not in sys.modules for name in LATE_MODULES):
            wanted = asyncio.create_task(self._wanted.wait(), name="the first updates")
            await asyncio.wait({wanted, *receiving}, timeout=SENDING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            wanted.cancel()
            await asyncio.to_thread(_import_all)
        finish()
        self._done.set()

    def before(self, take: Callable[[T], Awaitable[bool]]) -> Callable[[T], Awaitable[bool]]:
        """Return a function that passes updates to ``take`` when everything is imported."""

        async def wait_and_take(batch: T) -> bool:
            self._wanted.set()
            await self._done.wait()
            return await take(batch)

        return wait_and_take


def _import_all() -> None:
    for name in LATE_MODULES:
        import_module(name)
