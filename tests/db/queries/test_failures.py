"""What failed lately, from all the tables."""

import sqlite3
from dataclasses import replace

import pytest

from database_support import NOW
from tgllm.db.queries import failures, outbox_claims
from tgllm.db.tables import errors, inbox, outbox, requests
from tgllm.db.tables.errors import ErrorPlace, NewError
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.requests import NewRequest, Outcome

ERROR = NewError(
    id="2222-2222",
    event="job.failed",
    kind="ValueError",
    message="bang",
    place="a.py:1",
    trace=[],
    plugin="weather",
    version="1.0",
    times=1,
    first_at=NOW,
    last_at=NOW,
)


def fill(conn: sqlite3.Connection) -> None:
    for turn, outcome in {
        "u1": Outcome(status="failed", error_code="unavailable", error_text="HTTP 503"),
        "u2": Outcome(status="ok"),
        "u3": Outcome(status="interrupted"),
    }.items():
        new = NewRequest(turn_id=turn, conversation_id=None, user_id=None, provider="p", model="m")
        requests.add(conn, new, outcome, NOW + int(turn[1]), NOW)
    inbox.add_updates(conn, [NewUpdate(id_, ":1:", "message", False, "{}") for id_ in (7, 8, 9)], NOW)
    inbox.finish(conn, 7, "done", NOW + 10)
    inbox.finish(conn, 8, "failed", NOW + 10, "ValueError()")
    inbox.quarantine(conn, 9, NOW + 11, "KeyError")
    for chat in (1, 2):
        outbox.add(
            conn, [NewOutbox(lane=f":{chat}:", method="sendMessage", chat_id=chat, payload={})], NOW + chat * 100
        )
    outbox.mark_failed(conn, outbox_claims.claim(conn, 1, NOW + 200)[0].id, "Forbidden")


def test_what_failed_is_listed_the_latest_first_with_the_ids_of_the_log(conn: sqlite3.Connection) -> None:
    fill(conn)
    assert [(found.kind, found.id, found.what, found.error) for found in failures.recent(conn, 10)] == [
        ("outbox", "1", "sendMessage", "Forbidden"),
        ("update_id", "9", "message", "KeyError"),
        ("update_id", "8", "message", "ValueError()"),
        ("turn", "u3", "p/m", "interrupted"),
        ("turn", "u1", "p/m", "unavailable: HTTP 503"),
    ]
    assert failures.count(conn) == 5
    assert [found.id for found in failures.recent(conn, 2, 3)] == ["u3", "u1"]


@pytest.mark.sqlite  # reads SQLite's plan of a query
def test_no_table_is_read_as_a_whole(conn: sqlite3.Connection) -> None:
    plan = [row["detail"] for row in conn.execute(f"EXPLAIN QUERY PLAN {failures._ALL}")]
    assert sorted(step for step in plan if step.startswith(("SCAN", "SEARCH"))) == [
        # A row for each kind, of which there are few.
        "SCAN errors",
        "SCAN inbox USING INDEX inbox_failed",
        "SCAN outbox USING INDEX outbox_failed",
        "SCAN requests USING INDEX requests_failed",
        "SEARCH error_places USING COVERING INDEX error_places_error (error_id=?)",
        "SEARCH place USING PRIMARY KEY (kind=? AND ref=?)",
        "SEARCH place USING PRIMARY KEY (kind=? AND ref=?)",
    ]


def test_unexpected_errors_are_joined_and_those_elsewhere_are_listed_too(conn: sqlite3.Connection) -> None:
    fill(conn)
    for code, places in (
        ("2222-2222", [ErrorPlace("turn", "u1", 7, NOW)]),
        ("3333-3333", [ErrorPlace("update_id", "8", 7, NOW)]),
        ("4444-4444", []),
    ):
        errors.put(conn, replace(ERROR, id=code, places=places))

    found = {(each.kind, each.id): each for each in failures.recent(conn, 10)}

    assert {key: each.error_id for key, each in found.items() if each.error_id} == {
        ("turn", "u1"): "2222-2222",
        ("update_id", "8"): "3333-3333",
        ("error_id", "4444-4444"): "4444-4444",
    }
    assert (found["error_id", "4444-4444"].what, found["error_id", "4444-4444"].error) == (
        "weather: job.failed",
        "ValueError: bang",
    )
    assert failures.count(conn) == 6
