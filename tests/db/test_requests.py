"""Each call of a model is noted when it begins and once when it ends."""

import sqlite3

import pytest

from tgllm.db import requests
from tgllm.db.requests import NewRequest, Outcome, Request
from tgllm.db.users import SeenUser, upsert_seen

NOW = 1_790_000_000_000


def begin(conn: sqlite3.Connection, turn_id: str = "t", attempt: int = 1, user_id: int | None = None) -> int:
    new = NewRequest(
        turn_id=turn_id, attempt=attempt, conversation_id=None, user_id=user_id, provider="echo", model="words"
    )
    return requests.start(conn, new, NOW)


def stored(conn: sqlite3.Connection, request_id: int) -> Request:
    request = requests.get(conn, request_id)
    assert request is not None
    return request


def test_a_call_runs_until_it_ends(conn: sqlite3.Connection) -> None:
    request_id = begin(conn)
    running = stored(conn, request_id)
    assert (running.status, running.created_at, running.finished_at) == ("running", NOW, None)
    outcome = Outcome(
        status="ok",
        finish_reason="stop",
        input_tokens=10,
        output_tokens=20,
        reasoning_tokens=5,
        cached_tokens=4,
        cost_micros=123,
        first_token_ms=80,
        latency_ms=900,
    )
    assert requests.finish(conn, request_id, outcome, NOW + 900)
    ended = stored(conn, request_id)
    assert (ended.status, ended.finish_reason, ended.finished_at) == ("ok", "stop", NOW + 900)
    assert (ended.input_tokens, ended.output_tokens, ended.reasoning_tokens, ended.cached_tokens) == (10, 20, 5, 4)
    assert (ended.cost_micros, ended.first_token_ms, ended.latency_ms) == (123, 80, 900)


def test_a_call_ends_once(conn: sqlite3.Connection) -> None:
    request_id = begin(conn)
    failed = Outcome(status="failed", error_code="unavailable", error_text="down")
    assert requests.finish(conn, request_id, failed, NOW)
    assert not requests.finish(conn, request_id, Outcome(status="ok"), NOW)
    ended = stored(conn, request_id)
    assert (ended.status, ended.error_code, ended.error_text, ended.cost_micros) == (
        "failed",
        "unavailable",
        "down",
        None,
    )


def test_a_good_end_has_no_error(conn: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        requests.finish(conn, begin(conn), Outcome(status="ok", error_code="unavailable"), NOW)


def test_the_attempts_of_a_turn_are_counted(conn: sqlite3.Connection) -> None:
    ids = [begin(conn, attempt=1), begin(conn, attempt=2)]
    begin(conn, "other")
    assert [request.id for request in requests.of_turn(conn, "t")] == ids
    with pytest.raises(sqlite3.IntegrityError):
        begin(conn, attempt=2)


def test_the_latest_calls_come_first(conn: sqlite3.Connection) -> None:
    upsert_seen(conn, SeenUser(7), NOW)
    ids = [begin(conn, "a"), begin(conn, "b", user_id=7), begin(conn, "c")]
    assert [request.id for request in requests.recent(conn, 2)] == [ids[2], ids[1]]
    assert [request.id for request in requests.recent(conn, 5, 7)] == [ids[1]]


def test_a_call_of_somebody_unknown_is_refused(conn: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        begin(conn, user_id=99)
