"""Places of databases: paths of files, and URLs of servers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tgllm.observe.database_urls import shown

__all__ = ["SCHEMES", "Place", "Server", "is_url", "shown", "words_for"]

SCHEMES: Final = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a PostgreSQL server."""

    url: str = field(repr=False)
    """With the password, if one is needed."""
    listen_url: str | None = field(default=None, repr=False)
    """The same database without a pooler in between, for LISTEN; None: that of ``url``."""
    pooled: bool = False
    """Whether ``url`` is that of a pooler that gives each transaction another connection of the server."""


Place = Path | Server


def is_url(place: Path | str) -> bool:
    """Return whether a place is the URL of a server."""
    return isinstance(place, str) and place.startswith(SCHEMES)


def words_for(place: Place) -> str:
    """Return a place as messages may show it: a path, or a URL without its password."""
    return shown(place.url) if isinstance(place, Server) else str(place)
