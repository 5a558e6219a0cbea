"""The calls of models, once they have ended."""

import sqlite3

from database_support import NOW, refused
from tgllm.db.tables import requests
from tgllm.db.tables.requests import NewRequest, Outcome, Request
from tgllm.db.tables.users import SeenUser, upsert_seen

DONE = Outcome(status="ok")


def add(
    conn: sqlite3.Connection,
    turn_id: str = "t",
    outcome: Outcome = DONE,
    *,
    attempt: int = 1,
    user_id: int | None = None,
    ended: int = NOW,
) -> int:
    new = NewRequest(
        turn_id=turn_id, attempt=attempt, conversation_id=None, user_id=user_id, provider="echo", model="words"
    )
    return requests.add(conn, new, outcome, NOW, ended)


def stored(conn: sqlite3.Connection, request_id: int) -> Request:
    request = requests.get(conn, request_id)
    assert request is not None
    return request


def test_a_call_is_read_back_as_it_ended(conn: sqlite3.Connection) -> None:
    outcome = Outcome(
        status="ok",
        finish_reason="stop",
        input_tokens=10,
        output_tokens=20,
        reasoning_tokens=5,
        cached_tokens=4,
        cache_write_tokens=3,
        cost_micros=123,
        first_token_ms=80,
        latency_ms=900,
    )
    ended = stored(conn, add(conn, outcome=outcome, ended=NOW + 900))
    assert (ended.status, ended.finish_reason, ended.created_at, ended.finished_at) == ("ok", "stop", NOW, NOW + 900)
    assert (ended.input_tokens, ended.output_tokens, ended.reasoning_tokens, ended.cached_tokens) == (10, 20, 5, 4)
    assert ended.cache_write_tokens == 3
    assert (ended.cost_micros, ended.first_token_ms, ended.latency_ms) == (123, 80, 900)


def test_a_call_that_failed_keeps_its_error(conn: sqlite3.Connection) -> None:
    failed = Outcome(status="failed", error_code="unavailable", error_text="down \ud83d")
    ended = stored(conn, add(conn, outcome=failed))
    assert (ended.status, ended.error_code, ended.error_text) == ("failed", "unavailable", "down \ufffd")
    assert ended.cost_micros is None


def test_a_good_end_has_no_error(conn: sqlite3.Connection) -> None:
    with refused(conn):
        add(conn, outcome=Outcome(status="ok", error_code="unavailable"))


def test_the_attempts_of_a_turn_are_counted(conn: sqlite3.Connection) -> None:
    ids = [add(conn, attempt=1), add(conn, attempt=2)]
    add(conn, "other")
    assert [request.id for request in requests.of_turn(conn, "t")] == ids
    with refused(conn):
        add(conn, attempt=2)


def test_the_latest_calls_come_first(conn: sqlite3.Connection) -> None:
    upsert_seen(conn, SeenUser(7), NOW)
    ids = [add(conn, "a"), add(conn, "b", user_id=7), add(conn, "c")]
    assert [request.id for request in requests.recent(conn, 2)] == [ids[2], ids[1]]
    assert [request.id for request in requests.recent(conn, 5, 7)] == [ids[1]]


def test_a_call_of_somebody_unknown_is_refused(conn: sqlite3.Connection) -> None:
    with refused(conn):
        add(conn, user_id=99)


def test_a_call_without_an_outcome_is_taken_out_once(conn: sqlite3.Connection) -> None:
    add(conn, outcome=Outcome(status="failed", error_code="unavailable"))
    add(conn, outcome=Outcome(status="interrupted", error_code="interrupted"), attempt=2)
    open_id = add(conn, outcome=Outcome(status="interrupted"), attempt=3)
    taken = requests.drop_open(conn, "t")
    assert taken is not None
    assert (taken.id, requests.drop_open(conn, "t"), requests.drop_open(conn, "another")) == (open_id, None, None)
    assert [each.attempt for each in requests.of_turn(conn, "t")] == [1, 2]
