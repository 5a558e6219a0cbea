"""The one door to HTTP: a pooled client for one service, with limits of time, and errors of the contract."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from urllib.request import getproxies

import httpx

import tgllm
from tgllm.api.errors import BadResponse, NotConfigured, ProviderError, Unavailable
from tgllm.api.types import Json
from tgllm.providers.failure import Failure, explain
from tgllm.providers.json_values import encode_json, parse_json
from tgllm.providers.network import check_request, is_loopback
from tgllm.providers.transport import DirectTransport

__all__ = ["CONNECT_SECONDS", "IDLE_SECONDS", "ProviderHttp", "open_client", "transport_errors"]

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 120.0

_HIDDEN = "[hidden]"
_MIN_SECRET = 5
_MAX_JSON = 32 * 2**20
_MAX_ERROR = 64 * 2**10
_KEPT_CONNECTIONS = 20
_KEPT_SECONDS = 60.0
_PROXY_VARIABLES = {"http", "https", "all"}


def open_client(
    base_url: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    connect_seconds: float = CONNECT_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
    proxy: str | None = None,
) -> httpx.AsyncClient:
    """Make a client with tgllm's limits, for a library that takes one; close it with ``aclose``.

    Args:
        base_url: put before relative paths.
        headers: sent with every request.
        connect_seconds: for opening a connection, TLS included, and for a free place in the pool.
        idle_seconds: between two pieces of an answer; any byte starts it again. There is no limit for a whole answer.
        proxy: its URL; None takes the variables ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``. A server on this
            machine is asked directly.

    Raises:
        NotConfigured: an address or a header can't be used, or the certificates can't be read that servers are checked
            against.
    """
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS, keepalive_expiry=_KEPT_SECONDS
    )
    try:
        local = is_loopback(httpx.URL(base_url).host)
        through_proxy = not local and bool(proxy or _PROXY_VARIABLES & getproxies().keys())
        return httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": f"tgllm/{tgllm.__version__}", **(headers or {})},
            timeout=httpx.Timeout(idle_seconds, connect=connect_seconds, pool=connect_seconds),
            limits=limits,
            proxy=None if local else proxy,
            # httpx finds the way through proxies itself, but only with its own transport.
            transport=None if through_proxy else DirectTransport(keepalive_seconds=_KEPT_SECONDS),
            trust_env=not local,
            event_hooks={"request": [_check]},
        )
    # The errors repeat the address or the header, which may hold a password or a key.
    except (httpx.InvalidURL, ValueError):
        raise NotConfigured("base_url or proxy is no address, or the key holds a letter that keys don't have") from None
    except OSError:
        raise NotConfigured(
            "no certificates can be read: SSL_CERT_FILE, if it is set, must name a file of them"
        ) from None
    except ImportError:
        raise NotConfigured("a SOCKS proxy needs one more package: pip install 'httpx[socks]'") from None


@contextmanager
def transport_errors(
    host: str, idle_seconds: float = IDLE_SECONDS, hide: Callable[[str], str] = str
) -> Generator[None, None, None]:
    """Turn what goes wrong on the way into errors of the contract, also for a library that was given ``open_client``.

    Args:
        host: the name or address of the service, for messages.
        idle_seconds: the limit that the client was made with, for messages.
        hide: takes secrets out of a text.

    Raises:
        Unavailable: the service can't be reached, goes silent or breaks off.
        BadResponse: its answer can't be unpacked.
        NotConfigured: a header can't be sent.
    """
    try:
        yield
    # The originals may hold a header or an address with a password, so they are not kept as the cause.
    except httpx.ReadTimeout:
        raise Unavailable(f"{host} said nothing for {idle_seconds:g} seconds") from None
    except httpx.DecodingError:
        raise BadResponse(f"{host} sent an answer that can't be unpacked") from None
    except httpx.LocalProtocolError:
        raise NotConfigured("the key holds a letter that can't be sent; copy it again") from None
    except httpx.HTTPError as error:
        said = hide(str(error))
        raise Unavailable(f"{host} can't be reached: {type(error).__name__} {said}".rstrip()) from None


class ProviderHttp:
    """Talks to one service. Make one for each provider, use it from one event loop, and close it."""

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
        """Make a client; nothing is sent yet.

        Args:
            base_url: put before the paths; a slash at its end makes no difference.
            headers: sent with every request. Their values, such as a key, are secret: no error holds one.
            connect_seconds: for opening a connection, TLS included.
            idle_seconds: between two pieces of an answer; any byte starts it again.
            proxy: its URL; None takes the usual variables.
            explain: which error a failed call is.

        Raises:
            NotConfigured: an address or a header can't be used.
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

    async def get_json(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """GET a JSON document of 32 MiB at most.

        Raises:
            ProviderError: the service can't be reached or answers with a failure.
            BadResponse: the answer is no JSON.
        """
        return await self._json(self._client.build_request("GET", path, params=params))

    async def post_json(self, path: str, body: Json) -> Json:
        """POST a JSON document and read one; raises as ``get_json`` does."""
        return await self._json(self._post(path, encode_json(body)))

    async def stream(self, path: str, body: "Json | bytes") -> AsyncGenerator[bytes, None]:
        """POST a JSON document (bytes are sent as they are) and yield the answer's bytes as they come.

        Closing the generator closes the connection; one that was read to its end is kept for the next request.

        Raises:
            ProviderError: the service can't be reached, answers with a failure, goes silent, or breaks off.
        """
        content = body if isinstance(body, bytes) else encode_json(body)
        with self._transport_errors():
            async with aclosing(self._answer(self._post(path, content))) as chunks:
                async for chunk in chunks:
                    yield chunk

    def failure(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> ProviderError:
        """The error for a failure of this service; for one that comes in the middle of a stream (status 0)."""
        return self._explain(Failure(self.host, status, dict(headers or {}), self._hide(body.decode(errors="replace"))))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _post(self, path: str, content: bytes) -> httpx.Request:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        return self._client.build_request("POST", path, content=content, headers=headers)

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
        return transport_errors(self.host, self._idle_seconds, lambda text: self._hide(text).decode())

    def _hide(self, text: str) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text.encode()


async def _check(request: httpx.Request) -> None:
    check_request(request.url.host)


async def _read_error(response: httpx.Response) -> bytes:
    """The beginning of a failure's body, or as much of it as came: the status alone says enough."""
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
    """Header values, and the last word of each: the key in ``Bearer KEY``."""
    for value in headers.values():
        words = value.split()
        yield from (text for text in (value, *words[-1:]) if len(text) >= _MIN_SECRET)
