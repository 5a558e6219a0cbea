"""Small HTTP server for GET and HEAD, for machines that watch the bot; scanners and slow clients do it no harm."""

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tgllm.api import ConfigError
from tgllm.observe.logs import get_logger

__all__ = ["Answer", "Route", "serving"]

log = get_logger(__name__)

MOST_CONNECTIONS: Final = 100
"""Connections at a time; for one more, the oldest is ended."""
CONNECTION_SECONDS: Final = 15.0
"""Time limit of a connection, which carries one request."""
ANSWER_SECONDS: Final = 10.0
"""Time limit of an answer, without its transfer."""
STOP_SECONDS: Final = 2.0
"""How long a shutdown waits for answers under way."""
_MOST_BYTES: Final = 4096
"""Maximum size of the request line, and of each header."""
_METHODS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request."""

    body: str | bytes
    status: int = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


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
    loop = asyncio.get_running_loop()
    server = _Server(_handler(routes), lingering_time=0, max_line_size=_MOST_BYTES, max_field_size=_MOST_BYTES)
    runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(_reason(error, host, port)) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
        # Their transports are closed in the next iteration of the loop.
        await asyncio.wait_for(_next_iteration(loop), STOP_SECONDS)


def _next_iteration(loop: asyncio.AbstractEventLoop) -> "asyncio.Future[None]":
    done = loop.create_future()
    loop.call_soon(done.set_result, None)
    return done


class _Connection(web.RequestHandler):
    """Connection whose errors say nothing of the program to the client."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  the signature of the base class
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  the same
    ) -> web.StreamResponse:
        """Return the answer to a request that can't be read or answered."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("web.failed", status=status, exc_info=exc)
        return _response(Answer(_words(status), status))

    def log_exception(self, *_args: object, **_values: object) -> None:
        """Ignore errors of connections, which clients cause; those of the program are logged above."""


class _Server(web.Server):
    """Server with limits on the number of connections and on the time of each."""

    def __init__(self, handler: Any, **settings: Any) -> None:  # noqa: ANN401  as in the base class
        super().__init__(handler, **settings)
        self._settings = settings
        self._here = asyncio.get_running_loop()
        self._open: dict[web.RequestHandler, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._here, keepalive_timeout=CONNECTION_SECONDS, **self._settings)

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
        route = routes.get(request.path)
        if route is None:
            return _response(Answer(_words(HTTPStatus.NOT_FOUND), HTTPStatus.NOT_FOUND))
        if request.method not in _METHODS:
            status = HTTPStatus.METHOD_NOT_ALLOWED
            return _response(Answer(_words(status), status, headers={"Allow": ", ".join(_METHODS)}))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return _response(await route(request.headers))
        except TimeoutError:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            return _response(Answer(_words(status), status))

    return answer


def _response(answer: Answer) -> web.Response:
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    own = {
        "Content-Type": answer.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        # Without it, aiohttp sends its version and that of Python.
        "Server": "tgllm",
    }
    response = web.Response(body=body, status=answer.status, headers={**own, **answer.headers})
    response.force_close()
    return response


def _words(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}\n"


def _reason(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"web.host: {host} is no address of this machine. Set TGLLM_WEB__HOST=127.0.0.1, or 0.0.0.0 for all."
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"web.port: port {port} on {host} is taken by another program. Stop that program, or set another port "
                f"with TGLLM_WEB__PORT, such as {port + 1 if port < 65_535 else 9200}."
            )
        case errno.EADDRNOTAVAIL:
            return f"web.host: {host} is no address of this machine. Set TGLLM_WEB__HOST=127.0.0.1, or 0.0.0.0 for all."
        case errno.EACCES | errno.EPERM:
            return f"web.port: this user may not listen on port {port}. Set TGLLM_WEB__PORT to one from 1024 up."
        case _:
            words = error.strerror or type(error).__name__
            return f"web.port: the web server can't listen on {host}, port {port}: {words}."
