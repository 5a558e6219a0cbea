"""What erasing a person's data takes, and what it leaves."""

import sqlite3

from database_support import receive
from tgllm.db.queries import erasure, outbox_claims
from tgllm.db.tables import conversations, facts, inbox, kv, outbox, users
from tgllm.db.tables.facts import NewFact
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.plugins import jobs, values
from tgllm.db.tables.plugins.jobs import NewJob

NOW = 1_700_000_000_000
ANN, MINE, TOPIC, GROUP, LONGER = 7, ":7:", ":7:3", ":-7:", ":77:"


def begin(conn: sqlite3.Connection, leader: int, *, part: int) -> None:
    """Start an update that another one is a part of."""
    conn.execute("UPDATE inbox SET state = 'running', attempts = 1 WHERE update_id = ?", (leader,))
    assert inbox.merge(conn, leader, [part], NOW) == [part]


def payloads(conn: sqlite3.Connection, table: str) -> list[bool]:
    """Of each row, whether it still holds what was said."""
    key = "update_id" if table == "inbox" else "id"
    return ["secret" in row[0] for row in conn.execute(f"SELECT payload FROM {table} ORDER BY {key}")]


def row(lane: str, turn_id: str | None = None) -> NewOutbox:
    return NewOutbox(lane=lane, method="sendMessage", chat_id=7, payload={"text": "secret"}, turn_id=turn_id)


def test_all_topics_of_the_private_chat_are_the_persons_and_no_other_lane_is(conn: sqlite3.Connection) -> None:
    for lane in (MINE, TOPIC, GROUP, LONGER, "business:7:"):
        conversations.active_for(conn, lane, NOW)
    assert erasure.erase(conn, ANN, 1).conversations == 2
    left = [line[0] for line in conn.execute("SELECT lane FROM conversations ORDER BY id")]
    assert left == [GROUP, LONGER, "business:7:"]


def test_updates_that_are_done_lose_their_content_and_stay_known(conn: sqlite3.Connection) -> None:
    for update_id, lane in enumerate((MINE, MINE, GROUP, TOPIC, MINE), 1):
        receive(conn, update_id, lane)
    for update_id in (1, 2, 3):
        conn.execute("UPDATE inbox SET state = 'done', finished_at = 1 WHERE update_id = ?", (update_id,))
    erasure.erase(conn, ANN, 2)
    assert payloads(conn, "inbox") == [False, True, True, True, True]


def test_parts_of_a_message_that_still_waits_keep_their_content(conn: sqlite3.Connection) -> None:
    for update_id in (1, 2, 3, 4):
        receive(conn, update_id, MINE)
    begin(conn, 1, part=2)
    inbox.finish(conn, 1, "done", NOW)
    begin(conn, 3, part=4)
    conn.execute("UPDATE inbox SET state = 'queued' WHERE update_id = 3")
    erasure.erase(conn, ANN, 9)
    assert payloads(conn, "inbox") == [False, False, True, True]


def test_an_update_that_runs_elsewhere_in_the_private_chat_makes_it_busy(conn: sqlite3.Connection) -> None:
    for update_id, lane in ((1, MINE), (2, GROUP), (3, TOPIC)):
        receive(conn, update_id, lane)
    conn.execute("UPDATE inbox SET state = 'running' WHERE update_id IN (1, 2)")
    assert not erasure.is_busy(conn, ANN, 1)
    conn.execute("UPDATE inbox SET state = 'running' WHERE update_id = 3")
    assert erasure.is_busy(conn, ANN, 1)


def test_answers_lose_their_content_and_notices_still_go_out(conn: sqlite3.Connection) -> None:
    outbox.add(conn, [row(MINE, "t1"), row(MINE), row(MINE, "t2"), row(GROUP, "t3"), row(MINE, "t4")], NOW)
    outbox.mark_sent(conn, [(1, 10)], NOW)
    conn.execute("UPDATE outbox SET state = 'uncertain' WHERE id = 3")
    conn.execute("UPDATE outbox SET state = 'sending' WHERE id = 5")
    erasure.erase(conn, ANN, 1)
    assert payloads(conn, "outbox") == [False, True, False, True, False]
    states = [line[0] for line in conn.execute("SELECT state FROM outbox ORDER BY id")]
    assert states == ["sent", "ready", "dropped", "ready", "sending"]


def test_what_was_under_way_when_it_was_erased_is_not_sent_again(conn: sqlite3.Connection) -> None:
    outbox.add(conn, [row(MINE, "t1"), row(TOPIC, "t2"), row(GROUP, "t3")], NOW)
    outbox_claims.claim(conn, 9, NOW)
    erasure.erase(conn, ANN, 1)
    assert [outbox.drop_erased(conn, row_id) for row_id in (1, 3)] == [True, False]
    assert [found.id for found in outbox.recover(conn)] == [3]
    assert outbox.counts(conn) == {"dropped": 2, "uncertain": 1}


def test_files_that_wait_to_be_sent_go_too(conn: sqlite3.Connection) -> None:
    def document(lane: str, turn_id: str | None, path: str, *, key: str = "document", kept: bool = False) -> NewOutbox:
        payload = {key: {"path": path, "name": "secret", **({"kept": True} if kept else {})}}
        return NewOutbox(lane=lane, method="sendDocument", chat_id=7, payload=payload, turn_id=turn_id)

    rows = [
        document(MINE, "t1", "/data/answer"),
        document(GROUP, "t2", "/data/other"),
        document(MINE, None, "/data/new"),
        document(MINE, "t3", "/data/shared", key="document", kept=True),
        document(MINE, "t4", "/data/photo", key="photo"),
        document(MINE, "t5", "/data/shared", key="photo", kept=True),
    ]
    outbox.add(conn, rows, NOW)
    assert erasure.erase(conn, ANN, 1).paths == ["/data/answer", "/data/photo"]


def test_values_of_the_person_go_and_those_of_plugins_stay(conn: sqlite3.Connection) -> None:
    for scope, key in (("language", "7"), ("language", "8"), ("plugin:notes", "7")):
        kv.set_value(conn, scope, key, "x", NOW)
    erasure.erase(conn, ANN, 1)
    assert [kv.get(conn, "language", key) for key in ("7", "8")] == [None, "x"]
    assert kv.get(conn, "plugin:notes", "7") == "x"


def test_facts_of_the_private_chat_go(conn: sqlite3.Connection) -> None:
    for lane in (MINE, TOPIC, GROUP, LONGER):
        facts.add(conn, NewFact(lane=lane, owner=None, user_id=None, text="secret"), NOW)
    erasure.erase(conn, ANN, 1)
    assert [line[0] for line in conn.execute("SELECT lane FROM facts ORDER BY id")] == [GROUP, LONGER]


def test_who_is_let_in_stays_so(conn: sqlite3.Connection) -> None:
    users.upsert_seen(conn, users.SeenUser(ANN, first_name="Ann"), NOW)
    before = users.set_status(conn, ANN, "active", NOW)
    erasure.erase(conn, ANN, 1)
    assert users.get(conn, ANN) == before


def test_what_plugins_keep_for_the_person_goes_and_what_they_keep_for_others_stays(conn: sqlite3.Connection) -> None:
    for owner in (0, ANN, -ANN, 77):
        values.store(conn, "notes", owner, "k", "1", NOW)
        jobs.plan(conn, NewJob("notes", owner, "j", None, NOW, 1), NOW)
    kv.set_value(conn, "time_zone", str(ANN), "Europe/Berlin", NOW)
    erasure.erase(conn, ANN, 1)
    assert [values.get(conn, "notes", owner, "k") for owner in (0, ANN, -ANN, 77)] == ["1", None, "1", "1"]
    assert [jobs.count(conn, "notes", owner) for owner in (0, ANN, -ANN, 77)] == [1, 0, 1, 1]
    assert kv.items(conn, "time_zone") == {}
