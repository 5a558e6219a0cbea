"""Connections of the webhook: kept open for Telegram, closed soon for everything else."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from tgllm.web.requests import Connection

__all__ = ["CallerServer"]

MOST_CONNECTIONS: Final = 300
"""Connections at a time. For one more, the oldest that has not had the secret is ended."""
REQUEST_SECONDS: Final = 15.0
"""Time until a new connection has sent the head of its request."""
IDLE_SECONDS: Final = 75.0
"""Time that a connection stays open between two requests; Telegram and the proxies close theirs after 60 s."""
LINGER_SECONDS: Final = 2.0
"""Time in which the rest of a refused request is thrown away, so that its client sees the answer."""


@dataclass(slots=True, eq=False)
class _Open:
    """An open connection."""

    transport: asyncio.Transport
    timer: asyncio.TimerHandle | None
    is_known: bool = False
    """Whether a request on it had the secret."""


class CallerServer(web.Server):
    """Server with limits on the number of connections and on their time without a request."""

    def __init__(self, handler: Any, **settings: Any) -> None:  # noqa: ANN401  as in the base class
        # A compressed body would be unpacked before its size is known.
        self._values: dict[str, Any] = {"lingering_time": LINGER_SECONDS, "auto_decompress": False, **settings}
        super().__init__(handler, **self._values)
        self._here = asyncio.get_running_loop()
        self._open: dict[web.RequestHandler, _Open] = {}

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._here, keepalive_timeout=IDLE_SECONDS, **self._values)

    def begun(self, connection: web.RequestHandler, *, is_known: bool) -> None:
        """Note a request, which has time limits of its own."""
        found = self._open.get(connection)
        if found is not None:
            found.is_known = found.is_known or is_known
            _stop(found)

    def ended(self, connection: web.RequestHandler) -> None:
        """Note the end of a request: the next one may take its time to come."""
        found = self._open.get(connection)
        if found is not None:
            _stop(found)
            found.timer = self._here.call_later(IDLE_SECONDS, found.transport.abort)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            self._make_room()
        self._open[handler] = _Open(transport, self._here.call_later(REQUEST_SECONDS, transport.abort))
        super().connection_made(handler, transport)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        found = self._open.pop(handler, None)
        if found is not None:
            _stop(found)
        super().connection_lost(handler, exc)

    def _make_room(self) -> None:
        """End the oldest connection without the secret; the oldest of all if each had it."""
        oldest = next((each for each, found in self._open.items() if not found.is_known), next(iter(self._open)))
        found = self._open.pop(oldest)
        _stop(found)
        found.transport.abort()


def _stop(found: _Open) -> None:
    if found.timer is not None:
        found.timer.cancel()
        found.timer = None
