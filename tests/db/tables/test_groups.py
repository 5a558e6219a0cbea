"""A group is closed until somebody decides otherwise, and keeps its decision when it becomes a supergroup."""

import sqlite3

import pytest

from database_support import NOW, refused
from tgllm.db.tables import groups


def status(conn: sqlite3.Connection, chat_id: int) -> str | None:
    group = groups.get(conn, chat_id)
    return None if group is None else group.status


def test_a_group_is_asked_for_once(conn: sqlite3.Connection) -> None:
    assert groups.request(conn, -5, "Team", NOW, by=7)
    assert not groups.request(conn, -5, "Other", NOW + 1, by=8)
    group = groups.get(conn, -5)
    assert group is not None
    assert (group.title, group.status, group.requested_at, group.requested_by) == ("Team", "pending", NOW, 7)
    assert groups.get(conn, -6) is None


def test_a_decision_stands(conn: sqlite3.Connection) -> None:
    groups.request(conn, -5, "Team", NOW)
    decided = groups.set_status(conn, -5, "denied", NOW + 1, decided_by=1)
    assert (decided.status, decided.decided_at, decided.decided_by) == ("denied", NOW + 1, 1)
    assert not groups.request(conn, -5, "Team", NOW + 2)
    assert status(conn, -5) == "denied"


def test_only_groups_are_groups(conn: sqlite3.Connection) -> None:
    with refused(conn):
        groups.request(conn, 5, "Ann", NOW)


def test_nobody_decides_about_an_unknown_group(conn: sqlite3.Connection) -> None:
    with pytest.raises(LookupError):
        groups.set_status(conn, -5, "active", NOW)


@pytest.mark.parametrize("before", ["active", "denied", "pending"])
@pytest.mark.parametrize("asked_anew", [False, True])
def test_a_decision_moves_with_its_group(
    conn: sqlite3.Connection, before: groups.GroupStatus, *, asked_anew: bool
) -> None:
    groups.request(conn, -5, "Team", NOW)
    groups.set_status(conn, -5, before, NOW)
    if asked_anew:
        groups.request(conn, -1005, "Team", NOW + 1)
    groups.move(conn, -5, -1005)
    groups.move(conn, -5, -1005)
    assert (status(conn, -5), status(conn, -1005)) == (None, before)


def test_a_decision_about_the_supergroup_stands(conn: sqlite3.Connection) -> None:
    groups.request(conn, -5, "Team", NOW)
    groups.set_status(conn, -5, "active", NOW)
    groups.request(conn, -1005, "Team", NOW)
    groups.set_status(conn, -1005, "denied", NOW)
    groups.move(conn, -5, -1005)
    assert (status(conn, -5), status(conn, -1005)) == (None, "denied")


def test_what_waits_comes_first(conn: sqlite3.Connection) -> None:
    for chat_id in (-1, -2, -3):
        groups.request(conn, chat_id, "", NOW - chat_id)
    groups.set_status(conn, -3, "active", NOW)
    groups.set_title(conn, -3, "Team", NOW + 1)
    assert [(group.id, group.title) for group in groups.list_all(conn)] == [(-2, ""), (-1, ""), (-3, "Team")]


def test_a_decision_does_not_move_to_what_is_no_group(conn: sqlite3.Connection) -> None:
    groups.request(conn, -5, "Team", 1)
    groups.move(conn, -5, 5)
    assert groups.list_all(conn) == []
