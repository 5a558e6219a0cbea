"""Stored calls of tools: in the audit trail, until they are too old or erased."""

import sqlite3

from database_support import NOW
from tgllm.db.queries import erasure
from tgllm.db.queries.chat_moves import move
from tgllm.db.tables import audit
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.tools import calls, rounds, trail
from tgllm.db.tables.tools.calls import Ended, NewCall
from tgllm.db.tables.tools.rounds import NewRound

LANE = ":7:"


def add(conn: sqlite3.Connection, turn: str = "u1", *, user: int | None = 7, lane: str = LANE, now: int = NOW) -> int:
    new = NewCall(
        turn_id=turn,
        round=1,
        place=0,
        call_id="c",
        tool="push",
        plugin_id="git",
        lane=lane,
        user_id=user,
        arguments='{"to": "sk-ant-api03-' + "x" * 40 + '"}',
    )
    return calls.add(conn, new, now)


def add_round(conn: sqlite3.Connection, turn: str = "u1", *, user: int | None = 7, lane: str = LANE) -> None:
    rounds.add(conn, NewRound(turn_id=turn, round=1, lane=lane, user_id=user, provider="p", model="m"), NOW)


def test_calls_stand_in_the_trail_between_changes(conn: sqlite3.Connection) -> None:
    audit.add(conn, NewEntry(actor_id=1, source="shell", action="user.approve", target="7"), NOW - 5)
    row_id = add(conn)
    calls.start(conn, row_id, NOW)
    calls.end(conn, row_id, Ended(state="done", result="pushed"), NOW + 20)
    audit.add(conn, NewEntry(actor_id=1, source="shell", action="user.block", target="8"), NOW + 50)
    found = trail.list_recent(conn, 10)
    assert [row.action for row in found] == ["user.block", "tool.call", "user.approve"]
    assert (found[1].actor_id, found[1].target) == (7, "push")
    assert (found[1].details["outcome"], found[1].details["ms"], found[1].details["plugin"]) == ("done", 20, "git")
    assert "x" * 40 not in str(found[1].details)
    assert trail.count(conn) == 3
    assert [row.action for row in trail.list_recent(conn, 10, target="7")] == ["tool.call", "user.approve"]
    assert [row.action for row in trail.list_recent(conn, 1, offset=1)] == ["tool.call"]


def test_a_result_is_stored_once(conn: sqlite3.Connection) -> None:
    row_id = add(conn)
    calls.end(conn, row_id, Ended(state="done", result="one"), NOW)
    calls.end(conn, row_id, Ended(state="stopped", result="two"), NOW)
    stored = calls.get(conn, row_id)
    assert stored is not None
    assert (stored.state, stored.result) == ("done", "one")


def test_old_calls_are_deleted_but_those_of_a_running_turn(conn: sqlite3.Connection) -> None:
    add(conn, "u1", now=NOW - 10)
    add(conn, "u2", now=NOW - 10)
    add_round(conn, "u2")
    add(conn, "u3", now=NOW)
    assert calls.prune(conn, NOW, 10) == 1
    assert [call.turn_id for call in calls.recent(conn, 10)] == ["u3", "u2"]


def test_rounds_of_updates_that_are_over_are_deleted(conn: sqlite3.Connection) -> None:
    add_round(conn, "u1")
    add_round(conn, "shell-1")
    assert rounds.drop_ended(conn) == 1
    assert not rounds.of_turn(conn, "u1")
    assert rounds.of_turn(conn, "shell-1")


def test_what_was_said_in_calls_is_erased_with_the_person(conn: sqlite3.Connection) -> None:
    mine, other = add(conn, "u1"), add(conn, "u2", user=8, lane=":8:")
    in_group = add(conn, "u3", lane=":-5:")
    for row_id in (mine, other, in_group):
        calls.end(conn, row_id, Ended(state="done", result="secret"), NOW)
    add_round(conn, "u1")
    add_round(conn, "u2", user=8, lane=":8:")
    erasure.erase(conn, 7, 0)
    contents = {call.turn_id: (call.arguments != "", call.result) for call in calls.recent(conn, 10)}
    # Their turns, begun anew, have calls with the same places.
    erased = {f"erased:{row_id}": (False, "") for row_id in (mine, in_group)}
    assert contents == {"u2": (True, "secret"), **erased}
    assert not rounds.of_turn(conn, "u1")
    assert rounds.of_turn(conn, "u2")


def test_calls_move_with_their_group(conn: sqlite3.Connection) -> None:
    add(conn, lane=":-5:")
    add_round(conn, lane=":-5:")
    move(conn, -5, -1005, ":-5:", ":-1005:")
    assert [call.lane for call in calls.recent(conn, 10)] == [":-1005:"]
    assert [each.lane for each in rounds.of_turn(conn, "u1")] == [":-1005:"]
