"""Protection of the server against pages of other sites, which a browser lets send requests to this machine.

A page that the server has not served is recognised by its ``Origin`` or by ``Sec-Fetch-Site``. A page that a browser
loads from another name with the address of this machine (DNS rebinding) is recognised by ``Host``.
"""

import asyncio
import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

__all__ = ["KEY_HEADER", "is_loopback", "only_from_here", "require_key", "resolves_to_loopback"]

KEY_HEADER = "X-Control-Key"
RESOLVE_SECONDS = 5.0
_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN_SITE: Final = frozenset({"same-origin", "none"})
"""Values of ``Sec-Fetch-Site`` for requests of the server's own page and of the person (Fetch Metadata)."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests under another name than this machine's, and requests of pages from elsewhere, on every path."""
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or not _is_own(request, f"http://{hosts[0]}"):
        raise web.HTTPForbidden(text=f"this server answers as {_address(request)} only: the Host header differs\n")
    if not _is_from_own_page(request):
        raise web.HTTPForbidden(text="this server takes no requests of pages from elsewhere\n")
    return await handler(request)


def _is_from_own_page(request: web.Request) -> bool:
    """Return whether a request is of the server's page, of the person, or of a program that is no browser."""
    if any(not _is_own(request, origin) for origin in request.headers.getall(hdrs.ORIGIN, [])):
        return False
    site = request.headers.get("Sec-Fetch-Site")
    return site is None or site in _OWN_SITE or _is_visit(request)


def _is_visit(request: web.Request) -> bool:
    """Return whether a link to the chat page was opened, such as in a terminal that is itself a page."""
    modes = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest"))
    return request.method == "GET" and request.path == "/" and modes == ("navigate", "document")


def _is_own(request: web.Request, address: str) -> bool:
    """Return whether an address is that of this server: http, a loopback name, and its port."""
    try:
        url = URL(address)
    except ValueError:
        return False
    return url.scheme == "http" and url.host in _NAMES and url.port == _port(request)


def _port(request: web.Request) -> int | None:
    name = None if request.transport is None else request.transport.get_extra_info("sockname")
    return None if name is None else int(name[1])


def _address(request: web.Request) -> str:
    return f"127.0.0.1:{_port(request)}"


def require_key(request: web.Request, key: str) -> None:
    """Raise HTTPForbidden if the header with the control key is missing or wrong."""
    given = request.headers.get(KEY_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), key.encode()):
        raise web.HTTPForbidden(text=f"the header {KEY_HEADER} is missing or wrong\n")


def is_loopback(address: str) -> bool:
    """Return whether an IP address is of the loopback interface."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback


async def resolves_to_loopback(host: str) -> bool:
    """Return whether all addresses of a host name are of the loopback interface; False if it has none."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return False
    return bool(found) and all(is_loopback(str(address[0])) for *_, address in found)
