"""Small HTTP server for GET and HEAD, for machines that watch the bot; scanners and slow clients do it no harm."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tgllm.observe.logs import get_logger
from tgllm.web.listening import listening

__all__ = ["Answer", "Connection", "Route", "response_of", "serving", "words_of"]

log = get_logger(__name__)

MOST_CONNECTIONS: Final = 100
"""Connections at a time; for one more, the oldest is ended."""
CONNECTION_SECONDS: Final = 15.0
"""Time limit of a connection, which carries one request."""
ANSWER_SECONDS: Final = 10.0
"""Time limit of an answer, without its transfer."""
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
    server = _Server(_handler(routes), lingering_time=0, max_line_size=_MOST_BYTES, max_field_size=_MOST_BYTES)
    async with listening(server, host, port, "web") as found:
        yield found


class Connection(web.RequestHandler):
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
        return response_of(Answer(words_of(status), status))

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


def response_of(answer: Answer, *, is_last: bool = True) -> web.Response:
    """Return the response, after which the connection is closed if it is the last one."""
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    own = {
        "Content-Type": answer.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        # Without it, aiohttp sends its version and that of Python.
        "Server": "tgllm",
    }
    response = web.Response(body=body, status=answer.status, headers={**own, **answer.headers})
    if is_last:
        response.force_close()
    return response


def words_of(status: int) -> str:
    """Return the body of a response that says no more than its status."""
    return f"{status} {HTTPStatus(status).phrase}\n"
