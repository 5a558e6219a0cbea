"""Small HTTP server for GET and HEAD, for machines that watch the bot; scanners and slow clients do it no harm."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tgllm.web.answers import Answer, response_of, words_of
from tgllm.web.listening import listening
from tgllm.web.requests import Connection

__all__ = ["Route", "serving"]

MOST_CONNECTIONS: Final = 100
"""Connections at a time; for one more, the oldest is ended."""
CONNECTION_SECONDS: Final = 15.0
"""Time limit of a connection, which carries one request."""
ANSWER_SECONDS: Final = 10.0
"""Time limit of an answer, without its transfer."""
_MOST_BYTES: Final = 4096
"""Maximum size of the request line, and of each header."""
_METHODS: Final = ("GET", "HEAD")


Route = Callable[[Mapping[str, str]], Awaitable[Answer]]
"""Answers a request with these headers."""


@asynccontextmanager
async def serving(host: str, port: int, routes: Mapping[str, Route]) -> AsyncGenerator[int]:
    """Answer requests while the block runs, and yield the port.

    Args:
        host: the address to listen on.
        port: 0 takes a free one.
        routes: by path.

    Raises:
        ConfigError: the address or the port can't be used.
    """
    server = _Server(_handler(routes), lingering_time=0, max_line_size=_MOST_BYTES, max_field_size=_MOST_BYTES)
    async with listening(server, host, port, "web") as found:
        yield found


class _Server(web.Server):
    """Server with limits on the number of connections and on the time of each."""

    def __init__(self, handler: Any, **settings: Any) -> None:  # noqa: ANN401  as in the base class
        super().__init__(handler, **settings)
        self._settings = settings
        self._here = asyncio.get_running_loop()
        self._open: dict[web.RequestHandler, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._here, keepalive_timeout=CONNECTION_SECONDS, **self._settings)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            oldest, timer = self._open.pop(next(iter(self._open)))
            timer.cancel()
            oldest.abort()
        self._open[handler] = (transport, self._here.call_later(CONNECTION_SECONDS, transport.abort))
        super().connection_made(handler, transport)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        found = self._open.pop(handler, None)
        if found is not None:
            found[1].cancel()
        super().connection_lost(handler, exc)


def _handler(routes: Mapping[str, Route]) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(request.protocol, Connection):
            request.protocol.refuse()
        route = routes.get(request.path)
        if route is None:
            return response_of(Answer(words_of(HTTPStatus.NOT_FOUND), HTTPStatus.NOT_FOUND))
        if request.method not in _METHODS:
            status = HTTPStatus.METHOD_NOT_ALLOWED
            return response_of(Answer(words_of(status), status, headers={"Allow": ", ".join(_METHODS)}))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return response_of(await route(request.headers))
        except TimeoutError:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            return response_of(Answer(words_of(status), status))

    return answer
