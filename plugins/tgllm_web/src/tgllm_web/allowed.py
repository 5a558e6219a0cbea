"""Hosts and networks that the operator allows beside the internet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from tgllm_web.addresses import Address, is_public

__all__ = ["Allowed"]

_HOST = re.compile(r"([a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?)(?::(\d{1,5}))?", re.ASCII)
_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class Allowed:
    """The rule for connections: the internet on the ports of HTTP, and what the operator has named."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: frozenset[tuple[str, int | None]] = frozenset()
    """Host names with the port that is allowed as well; None: only the usual ports."""

    @classmethod
    def of(cls, entries: Iterable[str]) -> "Allowed":
        """Read entries such as ``10.1.0.0/16``, ``192.168.1.5``, ``wiki.lan`` and ``wiki.lan:8080``.

        Raises:
            ValueError: an entry is neither a network nor a host.
        """
        networks: list[IPv4Network | IPv6Network] = []
        hosts: set[tuple[str, int | None]] = set()
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip(), strict=False))
            except ValueError:
                hosts.add(_host(entry))
        return cls(tuple(networks), frozenset(hosts))

    def allows_port(self, host: str, port: int) -> bool:
        """Return whether a port of a host may be connected to."""
        return port in _PORTS or (host.lower().rstrip("."), port) in self.hosts

    def allows(self, host: str, port: int, address: Address) -> bool:
        """Return whether an address may be connected to, which belongs to a host."""
        name = host.lower().rstrip(".")
        named = (name, port) in self.hosts or (port in _PORTS and (name, None) in self.hosts)
        return named or is_public(address) or any(address in network for network in self.networks)


def _host(entry: str) -> tuple[str, int | None]:
    found = _HOST.fullmatch(entry.strip().lower())
    if found is None or (found[2] and not 0 < int(found[2]) < 2**16):
        raise ValueError(f"{entry!r} is neither a host, such as wiki.lan:8080, nor a network, such as 10.1.0.0/16")
    return found[1], int(found[2]) if found[2] else None
