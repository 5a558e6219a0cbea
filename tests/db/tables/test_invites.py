"""A link lets in as many as it was made for, and no longer than it was made for."""

import sqlite3

import pytest

from database_support import NOW, refused
from tgllm.db.tables import invites

HASH = "a" * 64


def make(conn: sqlite3.Connection, uses: int = 2, token_hash: str = HASH) -> invites.Invite:
    return invites.create(conn, token_hash, uses, NOW + 1000, NOW, created_by=1)


def test_a_link_is_found_by_its_hash(conn: sqlite3.Connection) -> None:
    made = make(conn)
    assert invites.find(conn, HASH) == made == invites.get(conn, made.id)
    assert invites.find(conn, "b" * 64) is None
    assert (made.uses, made.uses_left, made.created_by, made.works(NOW)) == (2, 2, 1, True)


def test_a_link_is_used_as_often_as_it_says(conn: sqlite3.Connection) -> None:
    made = make(conn)
    assert [invites.use(conn, made.id, NOW) for _ in range(3)] == [True, True, False]
    left = invites.get(conn, made.id)
    assert left is not None
    assert not left.works(NOW)


def test_a_link_expires(conn: sqlite3.Connection) -> None:
    made = make(conn)
    assert made.works(NOW + 999)
    assert not made.works(NOW + 1000)
    assert not invites.use(conn, made.id, NOW + 1000)


def test_a_revoked_link_lets_nobody_in(conn: sqlite3.Connection) -> None:
    made = make(conn)
    assert invites.revoke(conn, made.id)
    assert not invites.revoke(conn, made.id)
    assert not invites.use(conn, made.id, NOW)


def test_only_links_that_work_are_listed_the_latest_first(conn: sqlite3.Connection) -> None:
    first, second, revoked = (make(conn, token_hash=letter * 64) for letter in "abc")
    invites.revoke(conn, revoked.id)
    assert [invite.id for invite in invites.list_open(conn, NOW)] == [second.id, first.id]
    assert invites.list_open(conn, NOW + 1000) == []
    assert invites.prune(conn, NOW + 1000) == 0
    assert invites.prune(conn, NOW + 1001) == 3


@pytest.mark.parametrize("token_hash", ["secret", "A" * 64])
def test_what_is_no_hash_is_refused(conn: sqlite3.Connection, token_hash: str) -> None:
    with refused(conn):
        make(conn, token_hash=token_hash)
