"""Table ``kv``: small values by scope and key, for plugins and for parts of the program."""

import json

from tgllm.api.types import Json
from tgllm.db.engine.rows import dumps
from tgllm.db.engine.unit import Connection

__all__ = ["delete", "delete_older", "get", "items", "set_value"]


def get(conn: Connection, scope: str, key: str) -> Json:
    """Return the value; None if there is none."""
    row = conn.execute("SELECT value FROM kv WHERE scope = ? AND key = ?", (scope, key)).fetchone()
    return None if row is None else json.loads(row[0])


def set_value(conn: Connection, scope: str, key: str, value: Json, now: int) -> None:
    """Store a value, in place of an earlier one."""
    conn.execute(
        "INSERT INTO kv (scope, key, value, updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        (scope, key, dumps(value), now),
    )


def delete(conn: Connection, scope: str, key: str) -> bool:
    """Delete a value; return False if there was none."""
    return conn.execute("DELETE FROM kv WHERE scope = ? AND key = ?", (scope, key)).rowcount == 1


def delete_older(conn: Connection, prefix: str, before: int) -> int:
    """Delete the values of scopes with a prefix that were set before a time, and return their number."""
    query = "DELETE FROM kv WHERE scope >= ? AND scope < ? AND updated_at < ?"
    return conn.execute(query, (prefix, prefix + "\U0010ffff", before)).rowcount


def items(conn: Connection, scope: str) -> dict[str, Json]:
    """Return all values of a scope by key, in the order of the keys."""
    cursor = conn.execute("SELECT key, value FROM kv WHERE scope = ? ORDER BY key", (scope,))
    return {row["key"]: json.loads(row["value"]) for row in cursor}
