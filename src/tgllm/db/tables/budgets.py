"""Tables ``budgets`` and ``budget_periods``: limits set by admins, and adjustments for one day or month."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tgllm.api.budgets import Measure, Period
from tgllm.db.engine.rows import BOOL, dumps, read_all
from tgllm.db.engine.unit import Connection

__all__ = [
    "BudgetLimit",
    "BudgetPeriod",
    "Told",
    "clear",
    "forgive",
    "give",
    "limits",
    "periods",
    "prune",
    "put",
    "tell",
]

Told = Literal[0, 80, 100]
"""Percentage of a limit for which an alert has been sent."""


@dataclass(frozen=True, slots=True)
class BudgetLimit:
    """A limit set by an admin."""

    scope: str
    measure: Measure
    period: Period
    amount: int | None
    """Requests, tokens, or millionths of a US dollar; None: no limit."""
    by_owner: bool = field(default=True, metadata=BOOL)
    """Whether an owner or a shell command has set it."""


@dataclass(frozen=True, slots=True)
class BudgetPeriod:
    """Adjustments of a limit for one day or month."""

    scope: str
    measure: Measure
    period: Period
    first_day: str
    extra: int
    forgiven: int
    told: Told


def limits(conn: Connection, scopes: Iterable[str]) -> list[BudgetLimit]:
    """Return the limits that are set for these scopes."""
    return read_all(
        BudgetLimit,
        conn.execute(
            "SELECT * FROM budgets WHERE scope IN (SELECT value FROM json_each(?))",
            (dumps(list(scopes)),),
        ),
    )


def periods(conn: Connection, scopes: Iterable[str], first_days: Iterable[str]) -> list[BudgetPeriod]:
    """Return the adjustments for these scopes in the periods that begin on these days."""
    return read_all(
        BudgetPeriod,
        conn.execute(
            "SELECT * FROM budget_periods WHERE scope IN (SELECT value FROM json_each(?))"
            " AND first_day IN (SELECT value FROM json_each(?))",
            (dumps(list(scopes)), dumps(list(first_days))),
        ),
    )


def put(conn: Connection, budget: BudgetLimit, now: int) -> None:
    """Set a limit; alerts that were sent for the former limit can be sent again."""
    conn.execute(
        "INSERT INTO budgets (scope, measure, period, amount, updated_at, by_owner) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (scope, measure, period) DO UPDATE"
        " SET amount = excluded.amount, updated_at = excluded.updated_at, by_owner = excluded.by_owner",
        (budget.scope, budget.measure, budget.period, budget.amount, now, budget.by_owner),
    )
    _forget_told(conn, budget.scope, budget.measure, budget.period)


def clear(conn: Connection, scope: str, measure: Measure, period: Period) -> None:
    """Delete a limit, so that the one in the configuration applies again."""
    conn.execute("DELETE FROM budgets WHERE (scope, measure, period) = (?, ?, ?)", (scope, measure, period))
    _forget_told(conn, scope, measure, period)


def _forget_told(conn: Connection, scope: str, measure: Measure, period: Period) -> None:
    """Reset the alerts for a limit; alerts for a role's limit are stored for each user."""
    conn.execute(
        "UPDATE budget_periods SET told = 0 WHERE (measure, period) = (?, ?) AND scope GLOB ?",
        (measure, period, "user:*" if scope.startswith("role:") else scope),
    )


_ROW = "INSERT INTO budget_periods (scope, measure, period, first_day"
_KEY = "ON CONFLICT (scope, measure, period, first_day) DO UPDATE SET"


def give(conn: Connection, scope: str, measure: Measure, period: Period, first_day: str, amount: int) -> None:
    """Add to a limit in one period; alerts that were sent can be sent again."""
    conn.execute(
        f"{_ROW}, extra) VALUES (?, ?, ?, ?, ?) {_KEY} extra = budget_periods.extra + excluded.extra, told = 0",
        (scope, measure, period, first_day, amount),
    )


def forgive(conn: Connection, scope: str, measure: Measure, period: Period, first_day: str, used: int) -> None:
    """Restart a period's count at 0, given the amount used so far; earlier extras are removed."""
    conn.execute(
        f"{_ROW}, forgiven) VALUES (?, ?, ?, ?, ?) {_KEY} forgiven = excluded.forgiven, extra = 0, told = 0",
        (scope, measure, period, first_day, used),
    )


def tell(conn: Connection, scope: str, measure: Measure, period: Period, first_day: str, told: Told) -> bool:
    """Record that an alert is sent; return False if it was sent before."""
    cursor = conn.execute(
        f"{_ROW}, told) VALUES (?, ?, ?, ?, ?) {_KEY} told = excluded.told WHERE budget_periods.told < excluded.told",
        (scope, measure, period, first_day, told),
    )
    return cursor.rowcount == 1


def prune(conn: Connection, before: str) -> None:
    """Delete the adjustments of periods that began before the day ``before``."""
    conn.execute("DELETE FROM budget_periods WHERE first_day < ?", (before,))
