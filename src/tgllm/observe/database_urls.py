"""URLs of databases on a server: what messages may show of them, and what is secret in them."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["passwords", "shown"]

_SECRET_PARAMETERS = frozenset({"password", "sslpassword", "oauth_client_secret"})
"""Parameters of libpq that are secrets."""


def shown(url: str) -> str:
    """Return the URL of a server as messages may show it: without the password and the parameters.

    A password may also stand among the parameters.
    """
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    address = parts.netloc.rpartition("@")[2]
    return f"postgresql://{user}{address}{parts.path}"


def passwords(url: str) -> Iterator[str]:
    """Yield the secrets of a URL, as they are and as they stand in it."""
    parts = urlsplit(url)
    if parts.password:
        yield from {parts.password, unquote(parts.password)}
    yield from (value for name, value in parse_qsl(parts.query) if name in _SECRET_PARAMETERS)
