"""Pooled HTTP client for one service, with timeouts, and errors of the plugin API."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from typing import cast

import httpx

import tgllm
from tgllm.api.errors import BadResponse, NotConfigured, ProviderError, TgllmError, Unavailable
from tgllm.api.types import Json
from tgllm.providers.connections.explain import explain_connection
from tgllm.providers.connections.failure import target_of
from tgllm.providers.failure import Failure, explain
from tgllm.providers.json_values import encode_json, parse_json
from tgllm.providers.network import check_request
from tgllm.providers.proxies import Proxy, find_proxy, wrong_setting
from tgllm.providers.routing import PROXY, RoutingTransport

__all__ = [
    "CONNECT_SECONDS",
    "IDLE_SECONDS",
    "ProviderHttp",
    "dropped_context",
    "open_client",
    "transport_errors",
    "unused_client",
]

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 120.0

_HIDDEN = "[hidden]"
_MIN_SECRET = 5
_MAX_JSON = 32 * 2**20
_MAX_ERROR = 64 * 2**10
_KEPT_CONNECTIONS = 20
_KEPT_SECONDS = 60.0


def open_client(
    base_url: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    connect_seconds: float = CONNECT_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
    proxy: str | None = None,
) -> httpx.AsyncClient:
    """Create a client with tgllm's timeouts, for a library that accepts one; close it with ``aclose``.

    Args:
        base_url: prefix of relative paths.
        headers: sent with every request.
        connect_seconds: timeout for opening a connection, TLS included, and for a free slot in the pool.
        idle_seconds: timeout between two pieces of a response; any byte resets it. A whole response has no timeout.
        proxy: URL of a proxy; None uses the variables ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.
            Requests to this machine bypass the proxy.

    Raises:
        NotConfigured: a URL, a header or the proxy for ``base_url`` is invalid, or the CA certificates can't be read.
    """
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS, keepalive_expiry=_KEPT_SECONDS
    )
    try:
        # A proxy that can't be used is reported now, and not at the first question.
        find_proxy(base_url, proxy)
        return httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": f"tgllm/{tgllm.__version__}", **(headers or {})},
            timeout=httpx.Timeout(idle_seconds, connect=connect_seconds, pool=connect_seconds),
            transport=RoutingTransport(
                proxy,
                keepalive_seconds=_KEPT_SECONDS,
                limits=limits,
                # A wrong certificate file is reported now, and not at the first question.
                needs_tls=not base_url.lower().startswith("http:"),
            ),
            trust_env=False,
            event_hooks={"request": [_check]},
        )
    # The errors contain the URL or the header, which may include a password or a key.
    except (httpx.InvalidURL, ValueError):
        raise wrong_setting(
            "base_url is not a valid URL, or the key contains an invalid character", "base_url"
        ) from None
    except OSError:
        words = "the CA certificates can't be read: SSL_CERT_FILE, if it is set, must name a certificate file"
        raise wrong_setting(words, "SSL_CERT_FILE") from None


def unused_client() -> httpx.Client:
    """Create a client for a library that wants one and does not use it; it sends nothing, and needs no closing."""
    return httpx.Client(transport=httpx.MockTransport(_refuse), trust_env=False)


@contextmanager
def transport_errors(
    host: str, idle_seconds: float = IDLE_SECONDS, hide: Callable[[str], str] = str
) -> Generator[None, None, None]:
    """Convert transport errors to errors of the plugin API, also for a library that uses ``open_client``.

    Args:
        host: the name or address of the service, for messages.
        idle_seconds: the client's idle timeout, for messages.
        hide: redacts secrets in a text.

    Raises:
        Unavailable: the service can't be reached, times out or closes the connection early.
        BadResponse: the response can't be decompressed.
        NotConfigured: a header can't be sent.
    """
    with dropped_context(), _converted(host, idle_seconds, hide):
        yield


@contextmanager
def dropped_context() -> Generator[None, None, None]:
    """Drop the error during whose handling an error of tgllm was raised.

    ``from None`` only hides it from tracebacks; error reporters that walk ``__context__`` would still find it, with the
    headers, URLs and texts in it.
    """
    try:
        yield
    except TgllmError as error:
        error.__context__ = None
        raise


@contextmanager
def _converted(host: str, idle_seconds: float, hide: Callable[[str], str]) -> Generator[None, None, None]:
    try:
        yield
    # The original errors may contain a header or a URL with a password, so they are not kept as the cause.
    except httpx.ReadTimeout as error:
        raise Unavailable(_reason(error, host, f"{host} sent nothing for {idle_seconds:g} seconds")) from None
    except httpx.DecodingError:
        raise BadResponse(f"{host} sent a response that can't be decompressed") from None
    except httpx.LocalProtocolError:
        raise NotConfigured("the key contains a character that can't be sent; copy it again") from None
    except httpx.HTTPError as error:
        said = hide(str(error))
        reason = f"{host} can't be reached: {type(error).__name__} {said}".rstrip()
        raise Unavailable(hide(_reason(error, host, reason))) from None


def _reason(error: httpx.HTTPError, host: str, reason: str) -> str:
    """Return why a request failed: to whom, why and what to do; ``reason`` if that is not known."""
    try:
        request = error.request
    except RuntimeError:
        return reason
    if isinstance(error, httpx.ReadTimeout):
        return f"{reason} ({target_of(str(request.url))}); check the network, and whether the server is overloaded"
    proxy = cast("Proxy | None", request.extensions.get(PROXY))
    failure = explain_connection(error, str(request.url), proxy=proxy, setting="base_url")
    return reason if failure is None else f"{host} can't be reached: {failure}"


class ProviderHttp:
    """HTTP client of one service. Create one per provider, use it from one event loop, and close it."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        proxy: str | None = None,
        explain: Callable[[Failure], ProviderError] = explain,
    ) -> None:
        """Create a client; nothing is sent yet.

        Args:
            base_url: prefix of the paths, with or without a slash at its end.
            headers: sent with every request. Their values, such as a key, are secret and never part of an error.
            connect_seconds: timeout for opening a connection, TLS included.
            idle_seconds: timeout between two pieces of a response; any byte resets it.
            proxy: URL of a proxy; None uses the usual variables.
            explain: maps a failed call to an error.

        Raises:
            NotConfigured: a URL or a header is invalid.
        """
        self._secrets = tuple(_secrets(headers or {}))
        self._client = open_client(
            base_url,
            headers=headers,
            connect_seconds=connect_seconds,
            idle_seconds=idle_seconds,
            proxy=proxy,
        )
        self.host = self._client.base_url.host
        """The name or address of the service, for messages."""
        self._idle_seconds = idle_seconds
        self._explain = explain
        self._urls: dict[str, httpx.URL] = {}
        """By path. httpx parses a path and joins it with the base for each request; a whole URL is used as it is."""

    async def get_json(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """GET a JSON document of at most 32 MiB.

        Raises:
            ProviderError: the service can't be reached or returns an error.
            BadResponse: the response is not JSON.
        """
        return await self._json(self._client.build_request("GET", path, params=params))

    async def post_json(self, path: str, body: Json) -> Json:
        """POST a JSON document and return the JSON response; raises the errors of ``get_json``."""
        return await self._json(self._post(path, encode_json(body)))

    async def stream(self, path: str, body: "Json | bytes") -> AsyncGenerator[bytes, None]:
        """POST a JSON document (bytes are sent unchanged) and yield the response's bytes as they arrive.

        Closing the generator closes the connection; after reading to the end it is kept for the next request.

        Raises:
            ProviderError: the service can't be reached, returns an error, times out, or closes the connection early.
        """
        content = body if isinstance(body, bytes) else encode_json(body)
        with self._transport_errors():
            async with aclosing(self._answer(self._post(path, content))) as chunks:
                async for chunk in chunks:
                    yield chunk

    def failure(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error for a failure of this service, for example inside a stream (status 0)."""
        hidden = self._hide(body.decode(errors="replace")).encode()
        error = self._explain(Failure(self.host, status, dict(headers or {}), hidden))
        # JSON may have escaped a character of the key, such as a slash.
        error.args = tuple(self._hide(said) if isinstance(said, str) else said for said in error.args)
        return error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _post(self, path: str, content: bytes) -> httpx.Request:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        request = self._client.build_request("POST", self._urls.get(path, path), content=content, headers=headers)
        self._urls[path] = request.url
        return request

    async def _json(self, request: httpx.Request) -> Json:
        data = bytearray()
        with self._transport_errors():
            async with aclosing(self._answer(request)) as chunks:
                async for chunk in chunks:
                    data += chunk
                    if len(data) > _MAX_JSON:
                        raise BadResponse(f"{self.host} sent more than {_MAX_JSON} bytes")
        return parse_json(bytes(data))

    async def _answer(self, request: httpx.Request) -> AsyncGenerator[bytes, None]:
        response = await self._client.send(request, stream=True)
        try:
            if not response.is_success:
                raise self.failure(response.status_code, await _read_error(response), response.headers)
            async for chunk in response.aiter_bytes():
                yield chunk
        finally:
            await response.aclose()

    def _transport_errors(self) -> AbstractContextManager[None]:
        return transport_errors(self.host, self._idle_seconds, self._hide)

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text


async def _check(request: httpx.Request) -> None:
    check_request(request.url.host)


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.UnsupportedProtocol("this client sends no requests", request=request)


async def _read_error(response: httpx.Response) -> bytes:
    """Return the beginning of an error's body, possibly incomplete: the status alone is enough."""
    data = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) >= _MAX_ERROR:
                break
    except httpx.HTTPError:
        pass
    return bytes(data[:_MAX_ERROR])


def _secrets(headers: Mapping[str, str]) -> Generator[str, None, None]:
    """Yield header values, and the last word of each: the key in ``Bearer KEY``."""
    for value in headers.values():
        words = value.split()
        yield from (text for text in (value, *words[-1:]) if len(text) >= _MIN_SECRET)
