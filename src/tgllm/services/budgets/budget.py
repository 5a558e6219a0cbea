"""Budgets as they are now: a limit and its usage in the current day or month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from tgllm.api.budgets import Measure, Period
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets
from tgllm.db.tables.budgets import BudgetPeriod, Told
from tgllm.db.tables.usage import Used
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.limits import Limit
from tgllm.services.budgets.usage_sums import UsageSums
from tgllm.services.common.calendar import Days

__all__ = ["Budget", "BudgetKey", "read_budgets"]

NEAR = 80
"""Percent of a budget at which people are warned."""

BudgetKey: TypeAlias = tuple[str, Measure, Period]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit and its usage in the current period. Amounts are requests, tokens, or millionths of a US dollar."""

    scope: BudgetScope
    measure: Measure
    period: Period
    limit: int
    """Includes extras."""
    used: int
    """Since the period began or was reset."""
    first_day: str
    until: datetime
    """Start of the next period, in the bot's time zone."""
    told: Told = 0

    @property
    def key(self) -> BudgetKey:
        """Identifies the limit in any period."""
        return self.scope.key, self.measure, self.period

    @property
    def left(self) -> int:
        """Amount that is left."""
        return max(0, self.limit - self.used)

    @property
    def percent(self) -> int:
        """Used part, rounded down; can exceed 100."""
        return self.used * 100 // self.limit

    @property
    def level(self) -> Told:
        """Alert level that the usage has reached."""
        if self.used >= self.limit:
            return 100
        return NEAR if self.percent >= NEAR else 0


def read_budgets(conn: Connection, limits: Iterable[Limit], now: int, days: Days, sums: UsageSums) -> Sequence[Budget]:
    """Read the budgets of these limits; lifted limits are left out.

    Args:
        conn: a connection for reading.
        limits: of the bot, of people and of groups.
        now: UTC, in milliseconds.
        days: in the bot's time zone.
        sums: of usage.
    """
    by_scope: dict[BudgetScope, list[tuple[Limit, int]]] = {}
    for limit in limits:
        if limit.amount is not None:
            by_scope.setdefault(limit.scope, []).append((limit, limit.amount))
    if not by_scope:
        return ()
    today, month = days.day(now), days.month(now)
    special = {
        (row.scope, row.measure, row.period, row.first_day): row
        for row in budgets.periods(conn, [scope.key for scope in by_scope], {today, month})
    }
    found: list[Budget] = []
    for scope, held in by_scope.items():
        since = month if any(limit.period == "month" for limit, _ in held) else today
        used = sums.of(conn, scope, since, today)
        for limit, amount in held:
            first_day = month if limit.period == "month" else today
            until = days.month_end(now) if limit.period == "month" else days.day_end(now)
            row = special.get((scope.key, limit.measure, limit.period, first_day))
            found.append(_budget(limit, amount, used, first_day, until, row))
    return found


def _budget(
    limit: Limit, amount: int, used: Used, first_day: str, until: datetime, special: BudgetPeriod | None
) -> Budget:
    sum_: int = getattr(used, f"{limit.period}_{limit.measure}")
    if special is None:
        return Budget(limit.scope, limit.measure, limit.period, amount, sum_, first_day, until)
    return Budget(
        limit.scope,
        limit.measure,
        limit.period,
        amount + special.extra,
        max(0, sum_ - special.forgiven),
        first_day,
        until,
        special.told,
    )
