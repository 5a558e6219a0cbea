"""Usage adds up by person and day; an unknown price is counted and not taken for nothing."""

import sqlite3

import pytest

from tgllm.db.tables import usage
from tgllm.db.tables.usage import ModelTotal, Spent, Total, Used, UserTotal


def test_calls_of_a_day_add_up(conn: sqlite3.Connection) -> None:
    usage.add(conn, 7, "2026-11-01", "echo", "a", Spent(input_tokens=10, output_tokens=20, cost_micros=300))
    usage.add(conn, 7, "2026-11-01", "echo", "a", Spent(input_tokens=1, output_tokens=2, cost_micros=30))
    usage.add(conn, 7, "2026-11-02", "echo", "b", Spent(input_tokens=5))
    assert usage.total(conn, "2026-11-01", 7) == Total(3, 16, 22, 330, 1)
    assert usage.total(conn, "2026-11-02", 7) == Total(1, 5, 0, 0, 1)
    assert conn.execute("SELECT count(*) FROM usage").fetchone()[0] == 2


def test_nothing_used_is_zero(conn: sqlite3.Connection) -> None:
    assert usage.total(conn, "2026-11-01", 7) == Total(0, 0, 0, 0, 0)


def test_a_free_call_is_priced(conn: sqlite3.Connection) -> None:
    usage.add(conn, 7, "2026-11-01", "echo", "a", Spent(cost_micros=0))
    assert usage.total(conn, "2026-11-01").unpriced_requests == 0


def test_people_are_summed_apart_the_most_expensive_first(conn: sqlite3.Connection) -> None:
    usage.add(conn, 7, "2026-11-01", "echo", "a", Spent(cost_micros=1))
    usage.add(conn, 8, "2026-11-01", "echo", "a", Spent(cost_micros=2))
    usage.add(conn, 8, "2026-11-01", "echo", "b", Spent(cost_micros=2))
    usage.add(conn, None, "2026-10-31", "echo", "a", Spent(cost_micros=9))
    assert usage.by_user(conn, "2026-11-01") == [UserTotal(2, 0, 0, 4, 0, 8), UserTotal(1, 0, 0, 1, 0, 7)]
    assert [row.user_id for row in usage.by_user(conn, "2026-10-31")] == [usage.NO_USER, 8, 7]
    assert usage.total(conn, "2026-10-31").cost_micros == 14


def test_a_persons_models_are_summed_apart_the_most_expensive_first(conn: sqlite3.Connection) -> None:
    usage.add(conn, 7, "2026-10-01", "echo", "a", Spent(input_tokens=1, cost_micros=1))
    usage.add(conn, 7, "2026-11-01", "echo", "a", Spent(input_tokens=2, cost_micros=2))
    usage.add(conn, 7, "2026-11-01", "echo", "b", Spent(cost_micros=9))
    usage.add(conn, 8, "2026-11-01", "echo", "c", Spent(cost_micros=99))
    dear, cheap = ModelTotal(1, 0, 0, 9, 0, "echo", "b"), ModelTotal(2, 3, 0, 3, 0, "echo", "a")
    assert usage.by_model(conn, usage.EVER, 7) == [dear, cheap]
    assert usage.by_model(conn, "2026-11-01", 7) == [dear, ModelTotal(1, 2, 0, 2, 0, "echo", "a")]


def test_what_is_used_in_groups_is_summed_apart(conn: sqlite3.Connection) -> None:
    spent = Spent(input_tokens=10, output_tokens=20, cost_micros=300)
    usage.add(conn, 7, "2026-10-31", "echo", "a", spent)
    usage.add(conn, 7, "2026-11-01", "echo", "a", spent)
    usage.add(conn, 7, "2026-11-02", "echo", "a", spent)
    usage.add(conn, 7, "2026-11-02", "echo", "a", spent, group_id=-5)
    usage.add(conn, 8, "2026-11-02", "echo", "a", spent, group_id=-5)
    month, today = "2026-11-01", "2026-11-02"
    assert usage.used(conn, month, today, user_id=7) == Used(3, 90, 900, 2, 60, 600)
    assert usage.used(conn, month, today, user_id=7, private_only=True) == Used(2, 60, 600, 1, 30, 300)
    assert usage.used(conn, month, today, group_id=-5) == Used(2, 60, 600, 2, 60, 600)
    assert usage.used(conn, month, today) == Used(4, 120, 1200, 3, 90, 900)
    assert usage.used(conn, month, today, user_id=9) == Used(0, 0, 0, 0, 0, 0)


@pytest.mark.sqlite  # reads SQLite's plan of a query
def test_sums_for_budgets_use_an_index(conn: sqlite3.Connection) -> None:
    seen: list[str] = []
    conn.set_trace_callback(seen.append)
    usage.used(conn, "2026-11-01", "2026-11-02", user_id=7)
    usage.used(conn, "2026-11-01", "2026-11-02", user_id=7, private_only=True)
    usage.used(conn, "2026-11-01", "2026-11-02", group_id=-5)
    usage.used(conn, "2026-11-01", "2026-11-02")
    conn.set_trace_callback(None)
    plans = [" ".join(row["detail"] for row in conn.execute(f"EXPLAIN QUERY PLAN {query}")) for query in seen]
    assert [("SEARCH" in plan, "SCAN" in plan) for plan in plans] == [(True, False)] * 4
    assert "usage_group" in plans[2]
