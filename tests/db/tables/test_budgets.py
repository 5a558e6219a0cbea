"""Limits that admins set, and what is special about one day or month."""

import sqlite3
from operator import attrgetter

import pytest

from database_support import refused
from tgllm.db.tables import budgets
from tgllm.db.tables.budgets import BudgetLimit, BudgetPeriod

DAY = "2026-11-22"


def test_a_limit_is_set_changed_lifted_and_forgotten(conn: sqlite3.Connection) -> None:
    budgets.put(conn, BudgetLimit("user:7", "tokens", "day", 100), 1)
    budgets.put(conn, BudgetLimit("user:7", "tokens", "day", 200), 2)
    budgets.put(conn, BudgetLimit("bot", "cost", "month", None), 3)
    budgets.put(conn, BudgetLimit("user:8", "tokens", "day", 5), 4)
    assert sorted(budgets.limits(conn, ["bot", "user:7"]), key=attrgetter("scope")) == [
        BudgetLimit("bot", "cost", "month", None),
        BudgetLimit("user:7", "tokens", "day", 200),
    ]
    budgets.clear(conn, "user:7", "tokens", "day")
    assert budgets.limits(conn, ["user:7"]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        BudgetLimit("bot", "tokens", "day", 0),
        BudgetLimit("bot", "words", "day", 1),  # type: ignore[arg-type]  this is the point
        BudgetLimit("bot", "tokens", "year", 1),  # type: ignore[arg-type]  this is the point
    ],
)
def test_what_makes_no_sense_is_refused(conn: sqlite3.Connection, wrong: BudgetLimit) -> None:
    with refused(conn):
        budgets.put(conn, wrong, 1)


def test_extras_add_up_and_a_reset_takes_them_away(conn: sqlite3.Connection) -> None:
    budgets.give(conn, "user:7", "tokens", "day", DAY, 50)
    budgets.tell(conn, "user:7", "tokens", "day", DAY, 80)
    budgets.give(conn, "user:7", "tokens", "day", DAY, 30)
    assert budgets.periods(conn, ["user:7"], [DAY]) == [BudgetPeriod("user:7", "tokens", "day", DAY, 80, 0, 0)]
    budgets.tell(conn, "user:7", "tokens", "day", DAY, 80)
    budgets.forgive(conn, "user:7", "tokens", "day", DAY, 120)
    assert budgets.periods(conn, ["user:7"], [DAY]) == [BudgetPeriod("user:7", "tokens", "day", DAY, 0, 120, 0)]


def test_periods_are_apart(conn: sqlite3.Connection) -> None:
    budgets.give(conn, "bot", "tokens", "day", DAY, 1)
    budgets.give(conn, "bot", "tokens", "day", "2026-11-23", 2)
    budgets.give(conn, "bot", "cost", "day", "2026-11-23", 3)
    assert {row.extra for row in budgets.periods(conn, ["bot"], ["2026-11-23", "2026-11-01"])} == {3, 2}
    budgets.prune(conn, "2026-11-23")
    assert budgets.periods(conn, ["bot"], [DAY]) == []


def test_each_level_is_told_once(conn: sqlite3.Connection) -> None:
    levels = [budgets.tell(conn, "bot", "cost", "day", DAY, level) for level in (80, 80, 100, 100, 80)]
    assert levels == [True, False, True, False, False]


def test_of_a_new_limit_it_is_told_anew(conn: sqlite3.Connection) -> None:
    budgets.tell(conn, "bot", "cost", "day", DAY, 100)
    budgets.put(conn, BudgetLimit("bot", "cost", "day", 5), 1)
    assert budgets.tell(conn, "bot", "cost", "day", DAY, 80)
    budgets.clear(conn, "bot", "cost", "day")
    assert budgets.tell(conn, "bot", "cost", "day", DAY, 80)
