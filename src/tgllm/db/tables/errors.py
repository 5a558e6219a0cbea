"""Tables ``errors`` and ``error_places``: unexpected errors by kind, and the turns and updates they ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tgllm.db.engine.rows import JSON_LIST, clean, dumps, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "ErrorPlace",
    "ErrorRow",
    "NewError",
    "PlaceKind",
    "count",
    "forget_person",
    "get",
    "keep",
    "mark_announced",
    "places",
    "prune",
    "put",
    "recent",
    "unannounced",
]

PlaceKind = Literal["turn", "update_id"]

_MOST_PLACES = 1_000
"""Number of places that are kept of one error."""


@dataclass(frozen=True, slots=True)
class ErrorPlace:
    """A turn or update that an error ended."""

    kind: PlaceKind
    ref: str
    user_id: int | None
    at: int
    """UTC, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewError:
    """Errors of one kind that have occurred since they were last stored."""

    id: str
    event: str
    kind: str
    message: str
    place: str
    trace: Sequence[str]
    plugin: str | None
    version: str
    times: int
    first_at: int
    last_at: int
    places: Sequence[ErrorPlace] = ()


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A stored kind of error; the fields are the columns of the table."""

    id: str
    event: str
    kind: str
    message: str
    place: str
    trace: tuple[str, ...] = field(metadata=JSON_LIST)
    plugin: str | None
    version: str
    times: int
    first_at: int
    last_at: int
    announced_at: int | None
    announced_times: int


# The clock may have been set back, so the times are compared. What was announced stays so.
_PUT = """
    INSERT INTO errors (id, event, kind, message, place, trace, plugin, version, times, first_at, last_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        message = excluded.message, trace = excluded.trace, version = excluded.version,
        times = errors.times + excluded.times, first_at = min(errors.first_at, excluded.first_at),
        last_at = max(errors.last_at, excluded.last_at)
"""
_PUT_PLACE = """
    INSERT INTO error_places (kind, ref, error_id, user_id, at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, ref) DO UPDATE SET error_id = excluded.error_id, user_id = excluded.user_id, at = excluded.at
"""
_DROP_PLACES = """
    DELETE FROM error_places WHERE (kind, ref) IN (
        SELECT kind, ref FROM error_places WHERE error_id = ? ORDER BY at DESC, kind, ref LIMIT -1 OFFSET ?)
"""


def put(conn: Connection, new: NewError) -> None:
    """Add errors of one kind to those that are stored."""
    texts = [clean(text) for text in (new.id, new.event, new.kind, new.message, new.place)]
    trace = dumps([clean(line) for line in new.trace])
    conn.execute(_PUT, (*texts, trace, new.plugin, new.version, new.times, new.first_at, new.last_at))
    conn.executemany(
        _PUT_PLACE, [(place.kind, clean(place.ref), new.id, place.user_id, place.at) for place in new.places]
    )
    if new.places:
        conn.execute(_DROP_PLACES, (new.id, _MOST_PLACES))


def get(conn: Connection, error_id: str) -> ErrorRow | None:
    """Return a kind of error; None if there is none with that code."""
    return read_one(ErrorRow, conn.execute("SELECT * FROM errors WHERE id = ?", (error_id,)))


def recent(conn: Connection, limit: int, offset: int = 0) -> list[ErrorRow]:
    """Return the kinds that occurred last, newest first."""
    cursor = conn.execute("SELECT * FROM errors ORDER BY last_at DESC, id LIMIT ? OFFSET ?", (limit, offset))
    return read_all(ErrorRow, cursor)


def count(conn: Connection) -> int:
    """Return the number of stored kinds."""
    return int(conn.execute("SELECT count(*) FROM errors").fetchone()[0])


def places(conn: Connection, error_id: str, limit: int) -> list[ErrorPlace]:
    """Return the latest turns and updates that an error ended, newest first."""
    cursor = conn.execute(
        "SELECT kind, ref, user_id, at FROM error_places WHERE error_id = ? ORDER BY at DESC, kind, ref LIMIT ?",
        (error_id, limit),
    )
    return read_all(ErrorPlace, cursor)


def unannounced(conn: Connection, since: int) -> list[ErrorRow]:
    """Return the kinds that have occurred after the last notice of them, and after ``since``, by first occurrence."""
    query = "SELECT * FROM errors WHERE announced_times < times AND last_at >= ? ORDER BY first_at, id"
    return read_all(ErrorRow, conn.execute(query, (since,)))


def mark_announced(conn: Connection, ids: Sequence[str], now: int) -> None:
    """Record that the admins were notified of all occurrences so far of these kinds."""
    conn.executemany(
        "UPDATE errors SET announced_at = ?, announced_times = times WHERE id = ?", [(now, each) for each in ids]
    )


def prune(conn: Connection, before: int, limit: int) -> int:
    """Delete at most ``limit`` kinds that last occurred before a time, with their places; return their number."""
    return conn.execute(
        "DELETE FROM errors WHERE id IN (SELECT id FROM errors WHERE last_at < ? LIMIT ?)", (before, limit)
    ).rowcount


def keep(conn: Connection, most: int) -> int:
    """Delete the kinds above ``most``, those that occurred only once first, then the oldest; return their number."""
    if count(conn) <= most:
        return 0
    return conn.execute(
        "DELETE FROM errors WHERE id IN ("
        "SELECT id FROM errors ORDER BY times > 1 DESC, last_at DESC, id LIMIT -1 OFFSET ?)",
        (most,),
    ).rowcount


def forget_person(conn: Connection, user_id: int) -> None:
    """Delete a person's turns and updates, and the messages of the errors that occurred in them."""
    values = (user_id,)
    conn.execute(
        "UPDATE errors SET message = '' WHERE id IN (SELECT error_id FROM error_places WHERE user_id = ?)", values
    )
    conn.execute("DELETE FROM error_places WHERE user_id = ?", values)
