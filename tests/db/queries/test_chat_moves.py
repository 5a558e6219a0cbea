"""What is kept of a group goes on under its new id."""

import sqlite3
from dataclasses import replace

from database_support import NOW
from tgllm.db.queries import chat_moves, known_ids, outbox_claims
from tgllm.db.tables import budgets, conversations, facts, outbox
from tgllm.db.tables.facts import NewFact
from tgllm.db.tables.outbox import NewOutbox

OLD, NEW = -5, -1005
HERE, THERE = ":-5:", ":-1005:"
ROW = NewOutbox(lane=HERE, method="sendMessage", chat_id=OLD, payload={"chat_id": OLD, "text": "a"})


def move(conn: sqlite3.Connection) -> None:
    chat_moves.move(conn, OLD, NEW, HERE, THERE)


def test_conversations_and_facts(conn: sqlite3.Connection) -> None:
    first = conversations.active_for(conn, HERE, NOW)
    second = conversations.start_new(conn, HERE, NOW)
    other = conversations.active_for(conn, ":-6:", NOW)
    facts.add(conn, NewFact(lane=HERE, owner=None, user_id=None, text="It rains.", message_id=5), NOW)
    move(conn)
    assert conversations.active_in(conn, HERE) is None
    assert {found.id for found in conversations.list_for(conn, THERE, 9)} == {first.id, second.id}
    active = conversations.active_in(conn, THERE)
    assert active is not None
    assert active.id == second.id
    assert conversations.active_in(conn, ":-6:") == other
    assert [(fact.text, fact.message_id) for fact in facts.list_for(conn, THERE, None)] == [("It rains.", None)]


def test_a_conversation_that_comes_late_is_archived(conn: sqlite3.Connection) -> None:
    going_on = conversations.active_for(conn, THERE, NOW)
    late = conversations.active_for(conn, HERE, NOW)
    move(conn)
    assert conversations.active_in(conn, THERE) == going_on
    archived = conversations.get(conn, late.id)
    assert archived is not None
    assert (archived.lane, archived.active) == (THERE, False)


def test_what_waits_to_be_sent_goes_to_the_new_chat(conn: sqlite3.Connection) -> None:
    reply = {"chat_id": OLD, "text": "b", "reply_parameters": {"message_id": 3}}
    ids = outbox.add(conn, [ROW, replace(ROW, payload=reply)], NOW)
    sent = outbox.add(conn, [replace(ROW, turn_id="u1")], NOW)[0]
    outbox.mark_sent(conn, [(sent, 7)], NOW)
    move(conn)
    waiting = [row for row in (outbox.get(conn, row_id) for row_id in ids) if row is not None]
    assert [(row.lane, row.chat_id, row.state) for row in waiting] == [(THERE, NEW, "ready")] * 2
    assert [row.payload for row in waiting] == [{"chat_id": NEW, "text": text} for text in "ab"]
    done = outbox.get(conn, sent)
    assert done is not None
    assert (done.chat_id, done.message_id) == (OLD, None)


def test_what_may_have_arrived_in_the_old_chat_is_not_looked_for_in_the_new_one(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(OLD, 41)])
    outbox.add(conn, [ROW], NOW)
    (row,) = outbox_claims.claim(conn, 1, NOW)
    assert row.known_id == 41
    outbox.mark_in_doubt(conn, row.id, NOW, "")
    move(conn)
    moved = outbox.get(conn, row.id)
    assert moved is not None
    assert (moved.chat_id, moved.doubt, moved.known_id) == (NEW, True, None)


def test_changes_of_messages_of_the_old_chat_are_dropped(conn: sqlite3.Connection) -> None:
    payload = {"chat_id": OLD, "message_id": 3, "reaction": []}
    (row_id,) = outbox.add(conn, [replace(ROW, kind="other", method="setMessageReaction", payload=payload)], NOW)
    move(conn)
    row = outbox.get(conn, row_id)
    assert row is not None
    assert (row.state, row.chat_id) == ("dropped", OLD)


def test_budgets_and_usage(conn: sqlite3.Connection) -> None:
    conn.execute("INSERT INTO budgets VALUES ('group:-5', 'requests', 'day', 9, 1, 0)")
    conn.execute("INSERT INTO budget_periods VALUES ('group:-5', 'requests', 'day', '2026-11-22', 2, 0, 80)")
    columns = "user_id, group_id, day, provider, model, requests, input_tokens"
    for group in (OLD, NEW):
        conn.execute(
            f"INSERT INTO usage ({columns}) VALUES (7, ?, '2026-11-22', 'a', 'b', 2, 10)",
            (group,),
        )
    move(conn)
    assert [limit.amount for limit in budgets.limits(conn, ["group:-1005"])] == [9]
    assert [row.extra for row in budgets.periods(conn, ["group:-1005"], ["2026-11-22"])] == [2]
    assert not budgets.limits(conn, ["group:-5"])
    assert [tuple(row) for row in conn.execute("SELECT group_id, requests, input_tokens FROM usage")] == [(NEW, 4, 20)]


def test_it_may_be_done_again(conn: sqlite3.Connection) -> None:
    conversations.active_for(conn, HERE, NOW)
    outbox.add(conn, [ROW], NOW)
    move(conn)
    before = dump(conn)
    move(conn)
    assert dump(conn) == before


def dump(conn: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    """The rows of the tables that the test has filled."""
    queries = (f"SELECT * FROM {table} ORDER BY id" for table in ("conversations", "outbox"))
    return [[tuple(row) for row in conn.execute(query)] for query in queries]
