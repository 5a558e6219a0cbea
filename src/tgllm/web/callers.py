"""Who calls the webhook: the address, through a proxy or not, and the secret."""

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aiohttp import web

from tgllm.bot.telegram.webhook import SECRET_HEADER
from tgllm.config.sections.webhook import WebhookSection, networks

__all__ = ["Callers"]

_MOST_ADDRESS: Final = 64

Address = IPv4Address | IPv6Address


class Callers:
    """Recognises Telegram by the address of a request, if the settings name any, and by its secret."""

    def __init__(self, settings: WebhookSection, secret: str) -> None:
        """Create it with the settings of the webhook and the secret that Telegram has."""
        self._networks = networks(settings.addresses)
        self._header = settings.proxy_header
        self._secret = secret.encode()

    def may_call(self, request: web.BaseRequest) -> bool:
        """Return whether a request comes from an allowed address."""
        if not self._networks:
            return True
        address = self._address(request)
        return address is not None and any(address in network for network in self._networks)

    def has_secret(self, request: web.BaseRequest) -> bool:
        """Return whether a request has the secret, in a time that does not depend on how much of it is right."""
        given = request.headers.getall(SECRET_HEADER, [])
        # Bytes, since a header may hold any: comparing texts fails for those that are not ASCII.
        return len(given) == 1 and hmac.compare_digest(given[0].encode("utf-8", "surrogateescape"), self._secret)

    def _address(self, request: web.BaseRequest) -> Address | None:
        """Return the address of the client: of the connection, or what a proxy in a private network says."""
        peer = _read(request.remote or "")
        if self._header is None or peer is None or not (peer.is_private or peer.is_loopback):
            return peer
        return _last(request.headers.getall(self._header, []))


def _last(lines: Sequence[str]) -> Address | None:
    """Return the last address of a header: the one that the proxy has added. The client may have sent the others."""
    return _read(lines[-1].rpartition(",")[2]) if lines else None


def _read(text: str) -> Address | None:
    """Return an address, which may have a port; None if it is none."""
    text = text.strip().strip('"')[:_MOST_ADDRESS]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
