"""Transport that sends each request directly or through the proxy for its address."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tgllm.api.errors import NotConfigured
from tgllm.providers.proxies import Proxy, find_proxy
from tgllm.providers.transport import DirectTransport

if TYPE_CHECKING:
    import ssl

__all__ = ["PROXY", "RoutingTransport"]

PROXY = "tgllm_proxy"
"""Key of a request's extensions: the proxy that it goes through."""


class RoutingTransport(httpx.AsyncBaseTransport):
    """Direct requests use aiohttp; httpx has its own transport for proxies, which supports tunnels and SOCKS."""

    def __init__(
        self, proxy: str | None, *, keepalive_seconds: float, limits: httpx.Limits, needs_tls: bool = True
    ) -> None:
        """Create a transport; nothing is opened yet.

        Args:
            proxy: takes precedence over the environment.
            keepalive_seconds: how long idle connections are kept.
            limits: limits of the connections through a proxy.
            needs_tls: see ``DirectTransport``.

        Raises:
            OSError: the certificates can't be read.
        """
        self._setting = proxy
        self._limits = limits
        self._direct = DirectTransport(keepalive_seconds=keepalive_seconds, needs_tls=needs_tls)
        self._ssl: ssl.SSLContext | None = None
        self._proxied: dict[Proxy, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the errors of a proxy name it.

        Raises:
            httpx.TransportError: the request can't be sent, or there is no response.
        """
        try:
            url = request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url
            proxy = find_proxy(str(url), self._setting)
        except NotConfigured as error:
            raise httpx.ProxyError(str(error)) from None
        if proxy is None:
            return await self._direct.handle_async_request(request)
        request.extensions[PROXY] = proxy
        with _named(proxy):
            return await self._through(proxy).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        proxied, self._proxied = list(self._proxied.values()), {}
        for transport in proxied:
            await transport.aclose()
        await self._direct.aclose()

    def _through(self, proxy: Proxy) -> httpx.AsyncHTTPTransport:
        if proxy not in self._proxied:
            self._ssl = self._ssl or httpx.create_ssl_context()
            self._proxied[proxy] = httpx.AsyncHTTPTransport(verify=self._ssl, limits=self._limits, proxy=proxy.url)
        return self._proxied[proxy]


@contextmanager
def _named(proxy: Proxy) -> Generator[None, None, None]:
    """Add the proxy to the message of an error, since the service itself may be reachable."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise type(error)(f"through the proxy {proxy}: {error}") from error
