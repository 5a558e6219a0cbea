"""HTTP client of a server, with limits on what it sends."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import httpx2

from tgllm.providers.proxies import find_http_proxy

__all__ = ["HttpSettings", "ResponseTooLong", "http_client"]

MOST_BYTES = 8 * 1024 * 1024
"""Longest response of a server that is no stream of events, in bytes; the SDK limits each event itself."""


class ResponseTooLong(httpx2.StreamError):
    """A response is longer than the limit; the SDK fails the one request for it."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How a server is reached."""

    url: str
    headers: Mapping[str, str]
    timeout: float
    """Seconds for a connection, and for sending."""
    auth: httpx2.Auth | None
    """Adds the token, if an admin signs in."""
    on_status: Callable[[int], None]
    """Called with the status of each response that is an error."""


class _Limited(httpx2.AsyncByteStream):
    """Body of a response that ends with an error beyond the limit."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise ResponseTooLong(f"the server has sent a response of more than {MOST_BYTES // 1024**2} MB")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _LimitedTransport(httpx2.AsyncHTTPTransport):
    """Transport whose responses are limited, but for streams of events, which may run for hours."""

    def __init__(self, settings: HttpSettings) -> None:
        found, _ = find_http_proxy(settings.url)
        super().__init__(proxy=None if found is None else found.url)
        self._on_status = settings.on_status

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # A compressed response could be a thousand times as long as what is counted here.
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.status_code >= 400:
            self._on_status(response.status_code)
        if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
            await response.aclose()
            raise httpx2.ReadError("the server has sent a compressed response, which was not asked for")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/event-stream" and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Limited(response.stream)
        return response


def http_client(settings: HttpSettings) -> httpx2.AsyncClient:
    """Return a client for one server; it uses the proxy of the environment, if there is one for the address."""
    return httpx2.AsyncClient(
        headers=dict(settings.headers),
        # A call may be silent for as long as it takes; its own time limit ends it.
        timeout=httpx2.Timeout(settings.timeout, read=None),
        auth=settings.auth,
        transport=_LimitedTransport(settings),
        trust_env=False,
    )
