"""Figures about everybody."""

import sqlite3

from database_support import NOW
from tgllm.db.queries import statistics
from tgllm.db.tables import requests, usage, users
from tgllm.db.tables.requests import NewRequest, Outcome
from tgllm.db.tables.usage import Spent


def test_people_are_counted_by_status_and_as_pending_if_they_asked(conn: sqlite3.Connection) -> None:
    for user_id in range(1, 6):
        users.upsert_seen(conn, users.SeenUser(user_id), NOW)
    users.set_status(conn, 1, "active", NOW)
    users.set_status(conn, 2, "blocked", NOW)
    users.register_pending(conn, 3, NOW)
    assert statistics.people(conn) == {"active": 1, "blocked": 1, "pending": 1}
    assert statistics.known_people(conn) == 5


def test_usage_is_summed_by_day_and_model_and_the_shell_is_no_person(conn: sqlite3.Connection) -> None:
    usage.add(conn, 1, "2026-01-01", "a", "one", Spent(input_tokens=9, cost_micros=100))
    usage.add(conn, 1, "2026-01-02", "a", "one", Spent(input_tokens=1, output_tokens=2, cost_micros=5))
    usage.add(conn, 2, "2026-01-02", "a", "one", Spent(input_tokens=3, cost_micros=5))
    usage.add(conn, None, "2026-01-03", "b", "two", Spent(input_tokens=4))

    since = "2026-01-02"
    assert statistics.active_people(conn, since) == 2
    assert [(day.day, day.requests, day.cost_micros) for day in statistics.by_day(conn, since)] == [
        ("2026-01-02", 2, 10),
        ("2026-01-03", 1, 0),
    ]
    one, two = statistics.by_model(conn, since)
    assert (one.provider, one.model, one.requests, one.input_tokens, one.output_tokens) == ("a", "one", 2, 4, 2)
    assert (two.model, two.requests, two.cost_micros, two.unpriced_requests) == ("two", 1, 0, 1)


def add_request(conn: sqlite3.Connection, turn: str, at: int, model: str, outcome: Outcome) -> None:
    new = NewRequest(turn_id=turn, conversation_id=None, user_id=None, provider="p", model=model)
    requests.add(conn, new, outcome, at, at)


def test_errors_are_those_of_a_time_by_model(conn: sqlite3.Connection) -> None:
    broken, cut, fine = Outcome(status="failed"), Outcome(status="interrupted"), Outcome(status="ok")
    calls = [(1, "m", broken), (NOW, "m", broken), (NOW, "m", cut), (NOW + 1, "n", broken), (NOW, "n", fine)]
    for number, (at, model, outcome) in enumerate(calls):
        add_request(conn, f"t{number}", at, model, outcome)
    found = statistics.failed(conn, NOW)
    assert [(failed.user_id, failed.provider, failed.model, failed.count) for failed in found] == [
        (None, "p", "m", 2),
        (None, "p", "n", 1),
    ]


def test_answers_are_the_latest_ones_of_a_time_the_fastest_first(conn: sqlite3.Connection) -> None:
    for number, (at, latency) in enumerate([(1, 1), (NOW, 30), (NOW + 1, 20), (NOW, None)]):
        add_request(conn, f"t{number}", at, "m", Outcome(status="ok", latency_ms=latency))
    add_request(conn, "failed", NOW, "m", Outcome(status="failed", latency_ms=7))
    assert [call.latency_ms for call in statistics.answered(conn, NOW, 100)] == [20, 30]
    assert [call.latency_ms for call in statistics.answered(conn, NOW, 3)] == [20]
