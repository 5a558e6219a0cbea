"""Nobody gets access by being seen; owners are who the configuration says."""

import sqlite3

import pytest

from database_support import NOW, refused
from tgllm.db.tables import users
from tgllm.db.tables.users import SeenUser, User


def seen(conn: sqlite3.Connection, user_id: int = 7, first_name: str = "Ann", now: int = NOW) -> User:
    return users.upsert_seen(conn, SeenUser(user_id, "ann", first_name, "Lee", "en"), now)


def test_somebody_unknown_becomes_a_pending_guest(conn: sqlite3.Connection) -> None:
    user = seen(conn)
    assert (user.role, user.status, user.is_active, user.may_use(NOW)) == ("guest", "pending", False, False)
    assert (user.username, user.first_name, user.last_name, user.language_code) == ("ann", "Ann", "Lee", "en")
    assert users.get(conn, 7) == user
    assert users.get(conn, 8) is None


def test_a_name_is_kept_up_to_date_and_access_is_left_alone(conn: sqlite3.Connection) -> None:
    seen(conn)
    users.set_status(conn, 7, "active", NOW)
    changed = seen(conn, first_name="Anna \ud83d\ude00", now=NOW + 5)
    assert (changed.first_name, changed.status, changed.updated_at) == ("Anna 😀", "active", NOW + 5)


@pytest.mark.sqlite  # asks SQLite how many rows were changed
def test_nothing_is_written_where_nothing_is_different(conn: sqlite3.Connection) -> None:
    seen(conn)
    before = conn.total_changes
    assert seen(conn, now=NOW + 5).updated_at == NOW
    assert conn.total_changes == before


def test_a_request_is_noted_once(conn: sqlite3.Connection) -> None:
    seen(conn)
    assert users.register_pending(conn, 7, NOW)
    assert not users.register_pending(conn, 7, NOW + 1)
    user = users.get(conn, 7)
    assert user is not None
    assert user.requested_at == NOW


@pytest.mark.parametrize("status", ["active", "denied", "blocked"])
def test_a_decided_person_can_not_ask(conn: sqlite3.Connection, status: users.Status) -> None:
    seen(conn)
    users.set_status(conn, 7, status, NOW)
    assert not users.register_pending(conn, 7, NOW)


def test_a_person_set_back_to_pending_may_ask_again(conn: sqlite3.Connection) -> None:
    seen(conn)
    users.register_pending(conn, 7, NOW)
    users.set_status(conn, 7, "denied", NOW)
    users.set_status(conn, 7, "pending", NOW)
    assert users.register_pending(conn, 7, NOW + 1)


def test_a_decision_names_who_when_and_until_when(conn: sqlite3.Connection) -> None:
    seen(conn)
    user = users.set_status(conn, 7, "active", NOW + 1, decided_by=1, expires_at=NOW + 10)
    assert (user.decided_by, user.decided_at, user.expires_at, user.is_active) == (1, NOW + 1, NOW + 10, True)
    assert user.may_use(NOW + 9)
    assert not user.may_use(NOW + 10)


def test_deciding_about_a_stranger_is_an_error(conn: sqlite3.Connection) -> None:
    with pytest.raises(LookupError):
        users.set_status(conn, 99, "active", NOW)
    with pytest.raises(LookupError):
        users.set_role(conn, 99, "admin", NOW)


def test_a_role_is_set(conn: sqlite3.Connection) -> None:
    seen(conn)
    assert users.set_role(conn, 7, "admin", NOW).role == "admin"


def test_an_owner_is_always_active(conn: sqlite3.Connection) -> None:
    seen(conn)
    with refused(conn):
        users.set_role(conn, 7, "owner", NOW)
    users.ensure_owners(conn, [7], NOW)
    with refused(conn):
        users.set_status(conn, 7, "blocked", NOW)


def test_owners_are_who_the_configuration_names(conn: sqlite3.Connection) -> None:
    seen(conn, 7)
    users.set_status(conn, 7, "blocked", NOW, expires_at=NOW + 1)
    assert users.ensure_owners(conn, {8, 7}, NOW) == users.OwnerChanges([7, 8], [])
    owner = users.get(conn, 7)
    assert owner is not None
    assert (owner.role, owner.status, owner.expires_at) == ("owner", "active", None)
    assert users.ensure_owners(conn, {8, 7}, NOW) == users.OwnerChanges([], [])
    assert users.ensure_owners(conn, [8], NOW) == users.OwnerChanges([], [7])
    former = users.get(conn, 7)
    assert former is not None
    assert (former.role, former.status) == ("user", "active")


def test_an_owner_has_no_end(conn: sqlite3.Connection) -> None:
    users.ensure_owners(conn, [7], NOW)
    users.set_status(conn, 7, "active", NOW, expires_at=NOW + 1)
    users.ensure_owners(conn, [7], NOW)
    owner = users.get(conn, 7)
    assert owner is not None
    assert owner.may_use(NOW + 1)


def test_an_owner_known_by_id_alone_gets_a_name_when_seen(conn: sqlite3.Connection) -> None:
    users.ensure_owners(conn, [7], NOW)
    user = seen(conn)
    assert (user.role, user.is_active, user.first_name) == ("owner", True, "Ann")


def test_the_list_shows_who_asked_first(conn: sqlite3.Connection) -> None:
    for user_id in (1, 2, 3):
        seen(conn, user_id)
    users.register_pending(conn, 3, NOW)
    users.register_pending(conn, 2, NOW + 1)
    users.set_status(conn, 2, "active", NOW + 2)
    assert [user.id for user in users.list_all(conn)] == [3, 2, 1]
    assert [user.id for user in users.list_all(conn, "pending")] == [3, 1]


def test_a_request_keeps_its_reason_until_it_is_decided(conn: sqlite3.Connection) -> None:
    seen(conn)
    users.register_pending(conn, 7, NOW, "Ann from the choir")
    user = users.get(conn, 7)
    assert user is not None
    assert user.reason == "Ann from the choir"
    assert users.set_status(conn, 7, "active", NOW).reason is None


def test_access_that_ran_out_ends_and_can_be_asked_for_again(conn: sqlite3.Connection) -> None:
    for user_id, ends in ((7, NOW + 5), (8, NOW + 6), (9, None)):
        seen(conn, user_id)
        users.register_pending(conn, user_id, NOW)
        users.set_status(conn, user_id, "active", NOW, expires_at=ends)
    assert not users.has_expired(conn, NOW + 4)
    assert users.has_expired(conn, NOW + 5)
    assert [user.id for user in users.expire(conn, NOW + 5, 8)] == []
    assert [(user.id, user.status, user.expires_at) for user in users.expire(conn, NOW + 5)] == [(7, "pending", None)]
    assert not users.has_expired(conn, NOW + 5)
    assert users.register_pending(conn, 7, NOW + 5)


def test_admins_are_those_who_have_access_now(conn: sqlite3.Connection) -> None:
    users.ensure_owners(conn, [1], NOW)
    for user_id, status in ((2, "active"), (3, "blocked"), (4, "active")):
        seen(conn, user_id)
        users.set_status(conn, user_id, status, NOW, expires_at=NOW + 1 if user_id == 4 else None)
        users.set_role(conn, user_id, "admin", NOW)
    assert [user.id for user in users.admins(conn, NOW + 1)] == [1, 2]


def test_a_changed_name_is_noticed(conn: sqlite3.Connection) -> None:
    user = seen(conn)
    assert not users.differs(user, SeenUser(7, "ann", "Ann", "Lee", "en"))
    assert users.differs(user, SeenUser(7, "anna", "Ann", "Lee", "en"))
    assert users.differs(user, SeenUser(7, "ann", "Ann", None, "en"))
