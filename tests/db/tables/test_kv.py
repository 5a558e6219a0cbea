"""Values are kept by scope and key."""

import sqlite3

from database_support import NOW
from tgllm.db.tables import kv


def test_values_are_kept_by_scope(conn: sqlite3.Connection) -> None:
    kv.set_value(conn, "plugin:a", "k", {"list": [1, None, "ö \ud83d"]}, NOW)
    kv.set_value(conn, "plugin:b", "k", False, NOW)
    assert kv.get(conn, "plugin:a", "k") == {"list": [1, None, "ö \ud83d"]}
    assert kv.get(conn, "plugin:b", "k") is False
    assert kv.get(conn, "plugin:a", "other") is None


def test_a_value_is_replaced_and_forgotten(conn: sqlite3.Connection) -> None:
    kv.set_value(conn, "s", "b", 1, NOW)
    kv.set_value(conn, "s", "a", 2, NOW)
    kv.set_value(conn, "s", "b", 3, NOW)
    assert list(kv.items(conn, "s").items()) == [("a", 2), ("b", 3)]
    assert kv.delete(conn, "s", "b")
    assert not kv.delete(conn, "s", "b")
    assert kv.items(conn, "s") == {"a": 2}
