"""Protection of the control API and the chat page against pages of other sites.

A page of another site can send requests to 127.0.0.1 from a visitor's browser. But their Host header is
not a loopback name unless the page was loaded from one (DNS rebinding), and the page does not know the key.
"""

import hmac

from aiohttp import web
from yarl import URL

__all__ = ["KEY_HEADER", "require_key", "require_loopback"]

KEY_HEADER = "X-Control-Key"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def require_loopback(request: web.Request) -> None:
    """Raise HTTPForbidden if the Host header is not a loopback name."""
    try:
        host = URL(f"http://{request.host}").host
    except ValueError:
        host = None
    if host not in _LOOPBACK:
        raise web.HTTPForbidden(text="this server answers on 127.0.0.1 and localhost only\n")


def require_key(request: web.Request, key: str) -> None:
    """Raise HTTPForbidden if the header with the control key is missing or wrong."""
    given = request.headers.get(KEY_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), key.encode()):
        raise web.HTTPForbidden(text=f"the header {KEY_HEADER} is missing or wrong\n")
