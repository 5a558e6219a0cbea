"""Values of plugins are kept by plugin and owner, and the room that they take is known."""

import sqlite3

import pytest

from database_support import NOW
from tgllm.db.tables import kv
from tgllm.db.tables.plugins import values
from tgllm.db.tables.plugins.values import Room


def keep(conn: sqlite3.Connection, key: str, value: str = "1", plugin: str = "notes", owner: int = 0) -> Room:
    return values.store(conn, plugin, owner, key, value, NOW)


def counted(conn: sqlite3.Connection, plugin: str = "notes") -> Room:
    """Count the values themselves."""
    rows = conn.execute(
        "SELECT key, value FROM kv WHERE scope GLOB ? OR scope = ?", (f"plugin:{plugin}:*", f"plugin:{plugin}")
    )
    sizes = [len(row["key"].encode()) + len(row["value"].encode()) for row in rows]
    return Room(len(sizes), sum(sizes))


def test_the_room_follows_every_change(conn: sqlite3.Connection) -> None:
    assert keep(conn, "ключ", '"long"') == Room(1, 14)
    assert keep(conn, "ключ", "1") == Room(0, -5)
    keep(conn, "a", owner=7)
    keep(conn, "b", owner=-9)
    assert values.room_of(conn, "notes") == counted(conn) == Room(3, 13)
    assert values.room_of(conn, "notes", 7) == Room(1, 2)
    assert values.delete(conn, "notes", 7, "a")
    assert not values.delete(conn, "notes", 7, "a")
    assert values.room_of(conn, "notes") == counted(conn)
    values.forget(conn, -9)
    assert values.room_of(conn, "notes") == counted(conn) == Room(1, 9)


def test_a_wrong_count_is_mended(conn: sqlite3.Connection) -> None:
    keep(conn, "a")
    conn.execute("UPDATE plugin_room SET keys = 5, bytes = 500")
    values.recount(conn, "notes", 0)
    assert values.room_of(conn, "notes") == counted(conn)


def test_owners_and_plugins_do_not_see_each_other(conn: sqlite3.Connection) -> None:
    keep(conn, "k", "1")
    keep(conn, "k", "2", owner=7)
    keep(conn, "k", "3", owner=77)
    keep(conn, "k", "4", plugin="notes_7", owner=7)
    assert [values.get(conn, "notes", owner, "k") for owner in (0, 7, 77, 8)] == ["1", "2", "3", None]
    assert [(one.plugin_id, one.value) for one in values.owned_by(conn, 7)] == [("notes", "2"), ("notes_7", "4")]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["", "a", "a%", "a%\U0010ffffz", "a_", "aa", "b"]),
        ("a", ["a", "a%", "a%\U0010ffffz", "a_", "aa"]),
        ("a%", ["a%", "a%\U0010ffffz"]),
        ("c", []),
    ],
)
def test_keys_are_found_by_prefix(conn: sqlite3.Connection, prefix: str, found: list[str]) -> None:
    for key in ("b", "aa", "a_", "a%", "a%\U0010ffffz", "a", ""):
        keep(conn, key)
    keep(conn, "a other", owner=7)
    assert list(values.keys(conn, "notes", 0, prefix)) == found


def test_forgetting_a_person_spares_all_others(conn: sqlite3.Connection) -> None:
    for owner in (0, 7, 70, -7):
        keep(conn, "k", owner=owner)
    keep(conn, "k", plugin="other", owner=7)
    kv.set_value(conn, "language", "7", "ru", NOW)
    assert values.forget(conn, 7) == 2
    assert [values.get(conn, "notes", owner, "k") for owner in (0, 7, 70, -7)] == ["1", None, "1", "1"]
    assert values.forget(conn, 0) == 0
    assert values.get(conn, "notes", 0, "k") == "1"


def test_values_of_a_group_move_and_newer_ones_stay(conn: sqlite3.Connection) -> None:
    keep(conn, "both", '"old"', owner=-5)
    keep(conn, "old", "1", owner=-5)
    keep(conn, "both", '"new"', owner=-1005)
    for _ in range(2):
        values.move(conn, -5, -1005)
        assert values.get(conn, "notes", -1005, "both") == '"new"'
        assert values.get(conn, "notes", -1005, "old") == "1"
        assert values.owned_by(conn, -5) == []
        assert values.room_of(conn, "notes") == counted(conn)
