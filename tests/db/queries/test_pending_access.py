"""Requests that wait are counted and do not wait for ever."""

import sqlite3

from database_support import NOW
from tgllm.db.queries import pending_access
from tgllm.db.queries.pending_access import Waiting
from tgllm.db.tables import conversations, groups, messages, users
from tgllm.db.tables.users import SeenUser


def ask(conn: sqlite3.Connection, user_id: int, now: int = NOW) -> None:
    users.upsert_seen(conn, SeenUser(user_id), now)
    users.register_pending(conn, user_id, now, "please")


def test_people_and_groups_that_wait_are_counted(conn: sqlite3.Connection) -> None:
    ask(conn, 1)
    ask(conn, 2)
    ask(conn, 3)
    users.upsert_seen(conn, SeenUser(4), NOW)
    users.set_status(conn, 3, "active", NOW)
    groups.request(conn, -1, "", NOW)
    pending_access.mark_carded(conn, "users", 1, NOW)
    assert pending_access.waiting(conn) == Waiting(people=2, groups=1, unseen=2)


def test_cards_are_counted_by_time(conn: sqlite3.Connection) -> None:
    for user_id in (1, 2):
        ask(conn, user_id)
        pending_access.mark_carded(conn, "users", user_id, NOW + user_id)
    groups.request(conn, -1, "", NOW)
    pending_access.mark_carded(conn, "groups", -1, NOW + 3)
    assert [pending_access.count_cards(conn, NOW + since) for since in range(4)] == [3, 2, 1, 0]


def test_old_requests_are_forgotten_and_decisions_are_kept(conn: sqlite3.Connection) -> None:
    for user_id in (1, 2, 3):
        ask(conn, user_id)
    ask(conn, 4, NOW + 10)
    users.set_status(conn, 2, "blocked", NOW)
    users.set_status(conn, 3, "active", NOW)
    groups.request(conn, -1, "", NOW)
    assert pending_access.drop_old(conn, NOW + 10) == 2
    assert [user.id for user in users.list_all(conn)] == [2, 3, 4]
    assert groups.list_all(conn) == []


def test_somebody_who_has_said_something_in_a_group_is_kept_and_may_ask_again(conn: sqlite3.Connection) -> None:
    ask(conn, 1)
    conversation = conversations.active_for(conn, ":-5:", NOW)
    messages.add(
        conn,
        messages.NewMessage(
            conversation_id=conversation.id, parent_id=None, turn_id="t", role="user", text="hi", user_id=1
        ),
        NOW,
    )
    assert pending_access.drop_old(conn, NOW + 1) == 1
    user = users.get(conn, 1)
    assert user is not None
    assert (user.requested_at, user.reason) == (None, None)
    assert users.register_pending(conn, 1, NOW + 2)


def test_all_who_wait_are_declined_together(conn: sqlite3.Connection) -> None:
    ask(conn, 1)
    ask(conn, 2)
    users.upsert_seen(conn, SeenUser(3), NOW)
    users.set_status(conn, 2, "active", NOW)
    assert pending_access.decline_all(conn, NOW + 1, 9) == 1
    found = {user.id: (user.status, user.decided_by, user.reason) for user in users.list_all(conn)}
    assert found == {1: ("denied", 9, None), 2: ("active", None, None), 3: ("pending", None, None)}
