"""Values of plugins in the table ``kv``, and the table ``plugin_room``: how much room they take.

``owner`` is Telegram's id of a person or group, or 0 for the values of the plugin itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection

__all__ = ["PersonValue", "Room", "delete", "forget", "get", "keys", "move", "owned_by", "recount", "room_of", "store"]


@dataclass(frozen=True, slots=True)
class Room:
    """Number of values, and the bytes of their keys and JSON."""

    keys: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PersonValue:
    """A value that a plugin keeps for a person or group."""

    plugin_id: str
    key: str
    value: str
    """JSON."""


_SIZES = "count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))), 0)"


def get(conn: Connection, plugin_id: str, owner: int, key: str) -> str | None:
    """Return the JSON of a value; None if there is none."""
    row = conn.execute("SELECT value FROM kv WHERE scope = ? AND key = ?", (_scope(plugin_id, owner), key)).fetchone()
    return None if row is None else str(row[0])


def store(conn: Connection, plugin_id: str, owner: int, key: str, value: str, now: int) -> Room:
    """Store the JSON of a value, in place of an earlier one; return the room by which it is larger than that."""
    before = get(conn, plugin_id, owner, key)
    conn.execute(
        "INSERT INTO kv (scope, key, value, updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        (_scope(plugin_id, owner), key, value, now),
    )
    size = len(value.encode())
    more = Room(1, size + len(key.encode())) if before is None else Room(0, size - len(before.encode()))
    conn.execute(
        "INSERT INTO plugin_room (plugin_id, owner, keys, bytes) VALUES (?, ?, ?, max(?, 0))"
        " ON CONFLICT (plugin_id, owner) DO UPDATE SET"
        " keys = max(plugin_room.keys + ?, 1), bytes = max(plugin_room.bytes + ?, 0)",
        (plugin_id, owner, more.keys, more.bytes, more.keys, more.bytes),
    )
    return more


def delete(conn: Connection, plugin_id: str, owner: int, key: str) -> bool:
    """Delete a value; return False if there was none."""
    before = get(conn, plugin_id, owner, key)
    if before is None:
        return False
    conn.execute("DELETE FROM kv WHERE scope = ? AND key = ?", (_scope(plugin_id, owner), key))
    size = len(before.encode()) + len(key.encode())
    conn.execute(
        "UPDATE plugin_room SET keys = max(keys - 1, 0), bytes = max(bytes - ?, 0) WHERE plugin_id = ? AND owner = ?",
        (size, plugin_id, owner),
    )
    conn.execute("DELETE FROM plugin_room WHERE plugin_id = ? AND owner = ? AND keys = 0", (plugin_id, owner))
    return True


def keys(conn: Connection, plugin_id: str, owner: int, prefix: str) -> Sequence[str]:
    """Return the keys that begin with ``prefix``, sorted by code point."""
    # No character of a key is above the last one of Unicode, so all keys with the prefix are in this range.
    found = conn.execute(
        "SELECT key FROM kv WHERE scope = ? AND key >= ? AND key <= ? ORDER BY key",
        (_scope(plugin_id, owner), prefix, prefix + "\U0010ffff" * 4),
    )
    return [row[0] for row in found if row[0].startswith(prefix)]


def room_of(conn: Connection, plugin_id: str, owner: int | None = None) -> Room:
    """Return the room that an owner's values take; None: all values of the plugin."""
    row = conn.execute(
        "SELECT coalesce(sum(keys), 0), coalesce(sum(bytes), 0) FROM plugin_room"
        " WHERE plugin_id = ?1 AND (?2 IS NULL OR owner = ?2)",
        (plugin_id, owner),
    ).fetchone()
    return Room(*row)


def recount(conn: Connection, plugin_id: str, owner: int) -> None:
    """Count the values of an owner again."""
    scope = _scope(plugin_id, owner)
    found = conn.execute(f"SELECT {_SIZES} FROM kv WHERE scope = ?", (scope,)).fetchone()  # noqa: S608 (constants)
    conn.execute("DELETE FROM plugin_room WHERE plugin_id = ? AND owner = ?", (plugin_id, owner))
    if found[0]:
        conn.execute("INSERT INTO plugin_room VALUES (?, ?, ?, ?)", (plugin_id, owner, *found))


def owned_by(conn: Connection, owner: int) -> Sequence[PersonValue]:
    """Return all values that plugins keep for a person or group, by plugin and key."""
    cursor = conn.execute(
        "SELECT plugin_id, key, value FROM plugin_room JOIN kv ON scope = 'plugin:' || plugin_id || ':' || owner"
        " WHERE owner = ? AND owner <> 0 ORDER BY plugin_id, key",
        (owner,),
    )
    return read_all(PersonValue, cursor)


def forget(conn: Connection, owner: int) -> int:
    """Delete all values that plugins keep for a person or group; return how many."""
    count = 0
    for plugin_id in _plugins_with(conn, owner):
        count += conn.execute("DELETE FROM kv WHERE scope = ?", (_scope(plugin_id, owner),)).rowcount
    conn.execute("DELETE FROM plugin_room WHERE owner = ? AND owner <> 0", (owner,))
    return count


def move(conn: Connection, old: int, new: int) -> None:
    """Make the values of one owner those of another; values that the other has already take precedence."""
    for plugin_id in _plugins_with(conn, old):
        scopes = {"new": _scope(plugin_id, new), "old": _scope(plugin_id, old)}
        conn.execute(
            "UPDATE kv SET scope = :new WHERE scope = :old"
            " AND NOT EXISTS (SELECT 1 FROM kv AS other WHERE other.scope = :new AND other.key = kv.key)",
            scopes,
        )
        conn.execute("DELETE FROM kv WHERE scope = :old", scopes)
        recount(conn, plugin_id, new)
        recount(conn, plugin_id, old)


def _plugins_with(conn: Connection, owner: int) -> Sequence[str]:
    found = conn.execute("SELECT plugin_id FROM plugin_room WHERE owner = ? AND owner <> 0", (owner,))
    return [row[0] for row in found.fetchall()]


def _scope(plugin_id: str, owner: int) -> str:
    """Return the scope in ``kv``. Ids of plugins contain no colon, so none has the scope of another's owner."""
    return f"plugin:{plugin_id}:{owner}" if owner else f"plugin:{plugin_id}"
