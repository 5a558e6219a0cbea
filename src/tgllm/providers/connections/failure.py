"""Failed connection to a server, in words."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["ConnectionFailure", "Kind", "target_of"]

Kind = Literal[
    "dns",
    "refused",
    "unreachable",
    "connect_timeout",
    "tls",
    "proxy",
    "timeout",
    "closed",
    "redirect",
    "gateway",
    "unreadable",
]
"""``dns``: the name is not known; ``refused``: nothing listens there; ``unreachable``: no route, or no network at all;
``connect_timeout``: no connection within the time limit; ``tls``: the certificate or the TLS handshake; ``proxy``: the
proxy can't be reached or refuses; ``timeout``: connected, but no answer within the time limit; ``closed``: the
connection was lost before the end of the answer; ``redirect``: the server names another address; ``gateway``: a gateway
in front of the server says that it can't reach it; ``unreadable``: an answer in another form than expected."""

_PORTS = {"http": 80, "https": 443}
_NOT_SENT: frozenset[Kind] = frozenset(
    {"dns", "refused", "unreachable", "connect_timeout", "tls", "proxy", "redirect", "gateway"}
)


@dataclass(frozen=True, slots=True)
class ConnectionFailure:
    """Why a server did not answer; contains no token, path or password."""

    target: str
    """Host and port of the server, such as ``api.telegram.org:443`` or ``[::1]:8081``."""
    kind: Kind
    detail: str
    """The cause, as the rest of a sentence that begins with the target or the proxy."""
    advice: str = ""
    """What to do, as a sentence without a period."""
    proxy: str = ""
    """The proxy, with the name of its setting, if the connection goes through one."""

    @property
    def is_unsent(self) -> bool:
        """Whether the server has certainly not received the request."""
        return self.kind in _NOT_SENT

    @property
    def cause(self) -> str:
        """Target and cause in one line, without advice."""
        through = f" through the proxy {self.proxy}" if self.proxy else ""
        return f"{self.target}{through}: {self.detail}"

    def __str__(self) -> str:
        return f"{self.cause}; {self.advice}" if self.advice else self.cause


def target_of(url: str) -> str:
    """Return the host and port of a URL, without user name, password and path."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "an invalid address"
    place = f"[{host}]" if ":" in host else host
    return f"{place}:{port}" if port else place
