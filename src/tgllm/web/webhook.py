"""The server of the webhook: takes updates from Telegram, and refuses everything else without reading it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import ClientPayloadError, hdrs, web
from yarl import URL

from tgllm.api.clock import Clock
from tgllm.bot.intake.pushed import Verdict
from tgllm.bot.telegram.webhook import secret_of
from tgllm.config.model import Config
from tgllm.observe.content import handling, texts_of
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import WEBHOOK_REQUESTS
from tgllm.observe.redaction import redactor
from tgllm.web.answers import Answer, response_of, words_of
from tgllm.web.callers import Callers
from tgllm.web.connections import CallerServer
from tgllm.web.listening import listening
from tgllm.web.requests import Connection

__all__ = ["Hook", "open_webhook"]

log = get_logger(__name__)

BODY_SECONDS: Final = 10.0
"""Time limit for the transfer of an update."""
STORE_SECONDS: Final = 25.0
"""Time limit for storing it; Telegram waits for about a minute."""
MOST_AT_ONCE: Final = 200
"""Most updates that are received at once. Telegram sends at most 100 at the same time."""
BEGINNING: Final = 4096
"""Part of an update that is too large in which its id is looked for, in bytes."""
LOG_SECONDS: Final = 60.0
"""Time between two lines of the log about refused requests."""
RETRY_AFTER: Final = "5"
"""Seconds after which Telegram tries again while the bot can't store anything; without it, its pauses grow."""

_STATUS: Final[dict[Verdict, HTTPStatus]] = {
    "stored": HTTPStatus.OK,
    "later": HTTPStatus.SERVICE_UNAVAILABLE,
    "unreadable": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_HEADERS: Final = {
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": hdrs.METH_POST},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": RETRY_AFTER},
}


class Put(Protocol):
    """Stores an update, or the beginning of one that is too large; returns after the commit."""

    def __call__(self, body: bytes, *, is_whole: bool = True) -> Awaitable[Verdict]:
        """Store it."""
        ...


class Hook:
    """The open webhook. Until a bot takes the updates, Telegram is asked to send them later."""

    def __init__(self) -> None:
        self.port = 0
        self._put: Put | None = None

    def pass_to(self, put: Put) -> None:
        """Pass updates to a bot, which refuses them when it ends."""
        self._put = put

    async def store(self, body: bytes, *, is_whole: bool) -> Verdict:
        """Store an update; return after the commit."""
        return "later" if self._put is None else await self._put(body, is_whole=is_whole)


@asynccontextmanager
async def open_webhook(config: Config, clock: Clock) -> AsyncGenerator[Hook]:
    """Serve the webhook while the block runs.

    Args:
        config: the settings; ``webhook.url`` is set.
        clock: source of time.

    Raises:
        ConfigError: the address or the port can't be used.
    """
    hook = Hook()
    route = _Route(config, clock, hook)
    server = CallerServer(route.answer)
    route.server = server
    async with listening(server, config.webhook.host, config.webhook.port, "webhook") as hook.port:
        log.info("webhook.listening", host=config.webhook.host, port=hook.port)
        yield hook


class _Route:
    """Answers to requests."""

    def __init__(self, config: Config, clock: Clock, hook: Hook) -> None:
        self.server: CallerServer | None = None
        secret = secret_of(config)
        redactor.add(secret)
        self._callers = Callers(config.webhook, secret)
        self._path = _path_of(config.webhook.url or "")
        self._most_bytes = config.webhook.max_kb * 1024
        self._hook = hook
        self._under_way = 0
        self._refusals = _Refusals(clock)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; the connection stays open only if it is known to be Telegram's."""
        connection, server = request.protocol, self.server
        reason = self._refusal(request)
        if server is not None:
            server.begun(connection, is_known=reason is None)
        if isinstance(connection, Connection):
            # A body with a length costs little, and its client sees the answer once it has been read.
            has_length = request.content_length is not None
            (connection.accept if reason is None or has_length else connection.refuse)()
        try:
            return await self._answer(request) if reason is None else self._refused(_REFUSALS[reason], reason)
        finally:
            if server is not None:
                server.ended(connection)

    def _refusal(self, request: web.BaseRequest) -> HTTPStatus | None:
        """Return the status with which a request is refused before its body is read; None if it is Telegram's."""
        if request.rel_url.raw_path != self._path:
            return HTTPStatus.NOT_FOUND
        if request.method != hdrs.METH_POST:
            return HTTPStatus.METHOD_NOT_ALLOWED
        if not self._callers.may_call(request):
            return HTTPStatus.FORBIDDEN
        return None if self._callers.has_secret(request) else HTTPStatus.UNAUTHORIZED

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            return self._refused("compressed", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if self._under_way >= MOST_AT_ONCE:
            return self._refused("later", HTTPStatus.SERVICE_UNAVAILABLE)
        self._under_way += 1
        try:
            return await self._take(request)
        finally:
            self._under_way -= 1

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body, is_whole = await _body_of(request, self._most_bytes)
        except TimeoutError:
            return self._refused("slow", HTTPStatus.REQUEST_TIMEOUT)
        except (ConnectionError, web.PayloadAccessError, web.RequestPayloadError, ClientPayloadError):
            # The connection was lost; nothing can be answered.
            return self._refused("lost", HTTPStatus.BAD_REQUEST)
        try:
            async with asyncio.timeout(STORE_SECONDS):
                with handling(lambda: texts_of(body.decode("utf-8", "replace"))):
                    verdict = await self._hook.store(body, is_whole=is_whole)
        except TimeoutError:
            verdict = "later"
        if verdict != "stored":
            return self._refused(verdict, _STATUS[verdict])
        WEBHOOK_REQUESTS.add(verdict)
        # An answer with content could be run as a call. Bot API: Making requests when getting updates.
        return response_of(Answer(""), is_last=not is_whole)

    def _refused(self, outcome: str, status: HTTPStatus) -> web.StreamResponse:
        WEBHOOK_REQUESTS.add(outcome)
        self._refusals.note(outcome)
        return response_of(Answer(words_of(status), status, headers=_HEADERS.get(status, {})))


_REFUSALS: Final[dict[HTTPStatus, str]] = {
    HTTPStatus.NOT_FOUND: "path",
    HTTPStatus.METHOD_NOT_ALLOWED: "method",
    HTTPStatus.FORBIDDEN: "address",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
}


class _Refusals:
    """Log of refused requests: at most one line a minute, with their number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._logged_at: float | None = None

    def note(self, outcome: str) -> None:
        """Count a refusal, and log those since the last line if it is time."""
        self._counts[outcome] += 1
        now = self._clock.monotonic()
        if self._logged_at is None or now - self._logged_at >= LOG_SECONDS:
            log.warning("webhook.refused", requests=dict(self._counts))
            self._logged_at = now
            self._counts.clear()


async def _body_of(request: web.BaseRequest, most: int) -> tuple[bytes, bool]:
    """Read a body; of one that is larger than ``most``, only the beginning."""
    length = request.content_length
    wanted = BEGINNING if length is not None and length > most else most
    chunks: list[bytes] = []
    size = 0
    while size <= wanted:
        chunk = await request.content.readany()
        if not chunk:
            return b"".join(chunks), True
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)[:BEGINNING], False


def _path_of(url: str) -> str:
    """Return the path of an address as requests for it have it."""
    return URL(url).raw_path or "/"
