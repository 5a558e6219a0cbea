"""Connections to addresses that are allowed only, whatever their names, redirects and resolvers say."""

import socket
from typing import Any

from tgllm.providers.network import real_requests_allowed
from tgllm_web.addresses import Address, address_of
from tgllm_web.allowed import Allowed

__all__ = ["AddressInfo", "ForbiddenAddressError", "Guard"]

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""Address as ``socket.getaddrinfo`` returns it."""


class ForbiddenAddressError(OSError):
    """A connection to this address is not allowed."""


class Guard:
    """Makes the sockets of one page's requests, one request after another.

    aiohttp calls it with each address that it is about to connect to: after the name was resolved, so that an answer
    of the name server that changes between a check and the connection has no effect, and also for an address that
    stands in the URL itself.
    """

    def __init__(self, allowed: Allowed) -> None:
        """Create a guard.

        Args:
            allowed: the rule for the addresses.
        """
        self._allowed = allowed
        self._host, self._port = "", 0
        self.refused = False
        """Whether an address of the current request was refused."""

    def begin(self, host: str, port: int) -> None:
        """Begin a request to a host."""
        self._host, self._port, self.refused = host, port, False

    def socket(self, info: AddressInfo) -> socket.socket:
        """Make a socket for an address.

        Raises:
            ForbiddenAddressError: the address is not allowed.
        """
        family, kind, protocol, _, target = info
        try:
            address: Address | None = address_of(str(target[0]))
        except ValueError:
            address = None
        if address is None or not self._may_connect(address):
            self.refused = True
            raise ForbiddenAddressError("the address is not public")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    def _may_connect(self, address: Address) -> bool:
        if not real_requests_allowed() and not address.is_loopback:
            return False
        return self._allowed.allows(self._host, self._port, address)
