"""Transport that sends httpx's requests with aiohttp, whose compiled parser makes streamed responses cheaper.

docs/explanation/asking-providers.md has the measurements, and performance.md beside it those of a whole turn.
"""

import asyncio
import io
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Mapping
from contextlib import contextmanager
from typing import cast

import httpx
from yarl import URL

from tgllm.providers.connections.late_certificates import aiohttp

__all__ = ["DirectTransport"]

_MAX_HEADER = 64 * 2**10
"""Maximum bytes of a header; a gateway's cookies and policies can exceed aiohttp's default of 8 KiB."""

_LARGE_BODY = 2**20
"""Bytes from which a body is sent in pieces, so that copying it does not block the event loop."""


_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.SocketTimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.WriteTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (ValueError, httpx.LocalProtocolError),
    (Exception, httpx.ReadError),
)
"""aiohttp's errors and httpx's equivalents; the first match counts."""


class DirectTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 transport without a proxy, which raises the same errors as httpx's own transport.

    It applies the client's timeouts: ``connect`` for opening a connection, TLS included, ``write`` for sending the
    whole request, ``read`` between two pieces of the response. Use it from one event loop.
    """

    def __init__(self, *, keepalive_seconds: float, needs_tls: bool = True) -> None:
        """Create a transport; nothing is opened yet.

        Args:
            keepalive_seconds: how long idle connections are kept.
            needs_tls: whether the certificates are loaded now, and not with the first request to ``https``.

        Raises:
            OSError: the certificates can't be read.
        """
        self._keepalive_seconds = keepalive_seconds
        self._ssl = _tls() if needs_tls else None
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the head of the response; the body is read through the response.

        Raises:
            httpx.TransportError: the request can't be sent, or there is no response.
        """
        limits: Mapping[str, float | None] = request.extensions.get("timeout", {})
        connect, read = limits.get("connect"), limits.get("read")
        with _errors_of_httpx():
            # aiohttp has timeouts for each part except sending the body.
            async with asyncio.timeout(_total(connect, limits.get("write"), read)):
                response = await self._open().request(
                    request.method,
                    _url(request.url),
                    headers=_headers(request),
                    data=_body(request),
                    allow_redirects=False,
                    ssl=self._tls_for(request.url),
                    timeout=aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=read),
                )
        reason = (response.reason or "").encode("ascii", "ignore")
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Answer(response),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": reason},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _tls_for(self, url: httpx.URL) -> ssl.SSLContext | bool:
        if url.scheme != "https":
            return True
        self._ssl = self._ssl or _tls()
        return self._ssl

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=self._keepalive_seconds,
                # The system's resolver, as in httpx; aiohttp would use aiodns if it is installed.
                resolver=aiohttp.ThreadedResolver(),
            )
            # The client handles cookies, redirects and decompression.
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Content-Type",),
                max_line_size=_MAX_HEADER,
                max_field_size=_MAX_HEADER,
            )
        return self._session


class _Answer(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        with _errors_of_httpx():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        # A response that was read to its end has already released its connection.
        self._response.close()


def _tls() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    # As in httpx: some gateways close a connection without ALPN.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _total(*limits: float | None) -> float | None:
    return sum(limit or 0 for limit in limits) if None not in limits else None


def _url(url: httpx.URL) -> URL:
    """Return the URL without user name and password: the client has sent them as a header, and aiohttp rejects both."""
    return URL(str(url.copy_with(userinfo=b"") if url.userinfo else url), encoded=True)


def _headers(request: httpx.Request) -> list[tuple[str, str]]:
    """Return the headers; aiohttp encodes them as UTF-8, and sets ``Transfer-Encoding`` itself."""
    given = ((name.decode(), value.decode(errors="surrogateescape")) for name, value in request.headers.raw)
    return [(name, value) for name, value in given if name.lower() != "transfer-encoding"]


def _body(request: httpx.Request) -> bytes | io.BytesIO | AsyncIterable[bytes] | None:
    try:
        content = request.content
    except httpx.RequestNotRead:
        return cast("httpx.AsyncByteStream", request.stream)
    return (content if len(content) < _LARGE_BODY else io.BytesIO(content)) or None


@contextmanager
def _errors_of_httpx() -> Generator[None, None, None]:
    try:
        yield
    # aiohttp's streams raise RuntimeError if the client was closed in the meantime.
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
        kind = next(theirs for ours, theirs in _ERRORS if isinstance(error, ours))
        raise kind(_words(error)) from error


def _words(error: Exception) -> str:
    """Return a one-line message; aiohttp's own have several lines with objects, full URLs and received data."""
    if isinstance(error, aiohttp.ClientConnectorError):
        # aiohttp before 3.14 has no os_error for a certificate error.
        is_certificate = isinstance(error, aiohttp.ClientConnectorCertificateError)
        return str(error.certificate_error if is_certificate else error.os_error)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return "a URL must begin with http:// or https:// and contain a host"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the connection was closed before the answer ended"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before an answer came"
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message.partition(":")[0]
    if isinstance(error, TimeoutError):
        # The class of httpx's error names the timeout.
        return ""
    if isinstance(error, aiohttp.ClientConnectionError):
        # errno is missing if the connection was lost while sending the request.
        number = error.errno if isinstance(error, OSError) else None
        return os.strerror(number) if number else "the connection was lost"
    return str(error)
