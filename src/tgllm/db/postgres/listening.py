"""Signals of other processes by LISTEN, on a connection of its own.

A signal only makes something quicker that polling finds as well: PostgreSQL keeps none for a connection that is away.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import psycopg

from tgllm.api.clock import Clock
from tgllm.db.engine.place import Server, shown
from tgllm.db.engine.signals import ALL_SIGNALS, Signal
from tgllm.db.postgres.session import CHANNEL
from tgllm.db.postgres.store import parameters
from tgllm.observe.logs import get_logger

__all__ = ["Listening"]

log = get_logger(__name__)

_PAUSES: Final = (1.0, 30.0)
"""First and longest pause before another attempt to connect, in seconds."""
_PATIENCE: Final = 10.0
"""Seconds for the connection and the command."""


class Listening:
    """Receives signals until it is cancelled, and connects again when the connection is lost."""

    def __init__(self, server: Server, own: int | None, announce: Callable[[Signal], None], clock: Clock) -> None:
        """Create it; ``run`` does the work.

        Args:
            server: with the URL to listen at: not that of a pooler which shares connections of the server out.
            own: number of this process, whose signals it knows already.
            announce: called on the event loop with each signal of another process.
            clock: for pauses.
        """
        self._server = server
        self._url = server.listen_url or server.url
        self._own = str(own)
        self._announce = announce
        self._clock = clock
        self._pause = _PAUSES[0]

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, TimeoutError) as error:
                if self._pause == _PAUSES[0]:
                    # The first line of psycopg's errors never has the password.
                    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
                    log.warning("database.not_listening", place=shown(self._url), reason=reason)
            await self._clock.sleep(self._pause)
            self._pause = min(self._pause * 2, _PAUSES[1])

    async def _listen(self) -> None:
        async with asyncio.timeout(_PATIENCE):
            connection = await psycopg.AsyncConnection[Any].connect(**parameters(self._url), autocommit=True)
        try:
            async with asyncio.timeout(_PATIENCE):
                await connection.execute(f"LISTEN {CHANNEL}".encode())
            self._pause = _PAUSES[0]
            # What was signalled before is lost.
            for signal in sorted(ALL_SIGNALS):
                self._announce(signal)
            async for notification in connection.notifies():
                self._take(notification.payload)
        finally:
            await connection.close()

    def _take(self, payload: str) -> None:
        sender, _, signal = payload.partition(":")
        # Another version of the program may have signals of its own.
        if sender != self._own and signal in ALL_SIGNALS:
            self._announce(signal)
