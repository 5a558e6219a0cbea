"""Places of databases: paths of files, and URLs of servers."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

__all__ = ["SCHEMES", "is_url", "shown"]

SCHEMES: Final = ("postgresql://", "postgres://")


def is_url(place: Path | str) -> bool:
    """Return whether a place is the URL of a server."""
    return isinstance(place, str) and place.startswith(SCHEMES)


def shown(url: str) -> str:
    """Return the URL of a server as messages may show it: without the password and the parameters.

    A password may also stand among the parameters.
    """
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    address = parts.netloc.rpartition("@")[2]
    return f"postgresql://{user}{address}{parts.path}"
