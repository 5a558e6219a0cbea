"""The latest search of each person in each chat, for its further pages."""

from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv
from tgllm.services.common.lane import Lane

__all__ = ["Search", "drop_old", "latest", "remember"]

_SCOPES: Final = "search:"
"""Beginning of the scopes of the key-value store, which the lane follows; the key is the person's Telegram id."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search."""

    query: str
    number: int
    """Random: tells it from earlier and later ones."""


def latest(conn: Connection, lane: Lane, user_id: int) -> Search | None:
    """Return the latest search of a person in a lane; None if it is too old or was deleted."""
    stored = kv.get(conn, _SCOPES + lane.key, str(user_id))
    match stored:
        case {"query": str(query), "number": int(number)}:
            return Search(query, number)
        case _:
            return None


def remember(conn: Connection, lane: Lane, user_id: int, search: Search, now: int) -> None:
    """Store a search in place of the person's earlier one in the lane."""
    kv.set_value(conn, _SCOPES + lane.key, str(user_id), {"query": search.query, "number": search.number}, now)


def drop_old(conn: Connection, before: int) -> int:
    """Delete the searches from before a time (UTC, milliseconds), and return their number."""
    return kv.delete_older(conn, _SCOPES, before)
