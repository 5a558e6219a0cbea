"""Changes of budgets by admins, each with a row of the audit trail, in a transaction that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tgllm.api.budgets import Measure, Period
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import budgets
from tgllm.db.tables.budgets import BudgetLimit
from tgllm.db.tables.users import User
from tgllm.services.budgets.amounts import limit_name, write_amount
from tgllm.services.budgets.budget_scope import BudgetError, BudgetScope
from tgllm.services.budgets.limits import Limit
from tgllm.services.budgets.usage_sums import UsageSums
from tgllm.services.common.actor import Actor, note
from tgllm.services.common.calendar import Days
from tgllm.services.people.decisions import administrator, known

__all__ = ["BudgetChange", "BudgetEditor", "ClearLimit", "GiveExtra", "ResetUse", "SetLimit"]


@dataclass(frozen=True, slots=True)
class SetLimit:
    """Set a limit; None lifts it, so that none holds whatever the configuration says."""

    measure: Measure
    period: Period
    amount: int | None
    """Requests, tokens, or millionths of a US dollar."""


@dataclass(frozen=True, slots=True)
class ClearLimit:
    """Take back what was set: that of the role or of the configuration holds again."""

    measure: Measure
    period: Period


@dataclass(frozen=True, slots=True)
class GiveExtra:
    """Give something on top of a limit, for the present day or month."""

    measure: Measure
    period: Period
    amount: int
    """Requests, tokens, or millionths of a US dollar."""


@dataclass(frozen=True, slots=True)
class ResetUse:
    """Count from zero again in the present day and month; extras are gone."""


BudgetChange: TypeAlias = SetLimit | ClearLimit | GiveExtra | ResetUse


MOST_AMOUNT = 10**15
"""More is a mistake, and sums of it would not fit the database."""


@dataclass(frozen=True, slots=True)
class BudgetEditor:
    """One admin's changes of one scope at one time."""

    conn: Connection
    scope: BudgetScope
    actor: Actor
    now: int
    """UTC, in milliseconds."""
    days: Days

    def check(self) -> User | None:
        """See to it that the actor may change this scope. Returns the one whose budget it is, if it is a person's.

        Raises:
            AccessError: the actor is no admin, or nobody has that user id.
        """
        administrator(self.conn, self.actor, self.now)
        return known(self.conn, self.scope.id or 0) if self.scope.kind == "user" else None

    def make(self, change: BudgetChange, limits: Sequence[Limit], sums: UsageSums) -> None:
        """Make a change.

        Args:
            change: which.
            limits: those of the scope.
            sums: what has been used.

        Raises:
            BudgetError: there is no such limit, the amount makes no sense, or roles can't have it.
        """
        match change:
            case SetLimit(measure, period, amount):
                self._set(measure, period, amount)
            case ClearLimit(measure, period):
                self._clear(measure, period)
            case GiveExtra(measure, period, amount):
                self._give(limits, measure, period, amount)
            case ResetUse():
                self._reset(limits, sums)

    def _set(self, measure: Measure, period: Period, amount: int | None) -> None:
        if amount is not None:
            _check_amount(amount)
        before, after = self._set_before(measure, period), _told(measure, amount)
        budgets.put(self.conn, BudgetLimit(self.scope.key, measure, period, amount), self.now)
        self._note("set" if amount is not None else "lift", measure, period, before=before, after=after)

    def _clear(self, measure: Measure, period: Period) -> None:
        before = self._set_before(measure, period)
        budgets.clear(self.conn, self.scope.key, measure, period)
        self._note("clear", measure, period, before=before, after="default")

    def _give(self, limits: Sequence[Limit], measure: Measure, period: Period, amount: int) -> None:
        _check_amount(amount)
        self._check_not_role()
        held = [each for each in limits if (each.measure, each.period) == (measure, period)]
        if not any(each.amount is not None for each in held):
            raise self._nothing()
        budgets.give(self.conn, self.scope.key, measure, period, self._first_day(period), amount)
        self._note("give", measure, period, before=None, after=write_amount(measure, amount))

    def _reset(self, limits: Sequence[Limit], sums: UsageSums) -> None:
        self._check_not_role()
        held = [each for each in limits if each.amount is not None]
        if not held:
            raise self._nothing()
        used = sums.of(self.conn, self.scope, self.days.month(self.now), self.days.day(self.now))
        for each in held:
            sum_: int = getattr(used, f"{each.period}_{each.measure}")
            budgets.forgive(self.conn, self.scope.key, each.measure, each.period, self._first_day(each.period), sum_)
            before, after = write_amount(each.measure, sum_), write_amount(each.measure, 0)
            self._note("reset", each.measure, each.period, before=before, after=after)

    def _first_day(self, period: Period) -> str:
        return self.days.month(self.now) if period == "month" else self.days.day(self.now)

    def _set_before(self, measure: Measure, period: Period) -> str:
        for row in budgets.limits(self.conn, [self.scope.key]):
            if (row.measure, row.period) == (measure, period):
                return _told(measure, row.amount)
        return "default"

    def _check_not_role(self) -> None:
        if self.scope.kind == "role":
            raise BudgetError("a role has limits only", code="budget_role")

    def _nothing(self) -> BudgetError:
        return BudgetError(f"{self.scope.key} has no such limit", code="budget_none", scope=self.scope.name or "bot")

    def _note(self, what: str, measure: Measure, period: Period, *, before: str | None, after: str) -> None:
        details: dict[str, str | int | None] = {"limit": limit_name(measure, period), "before": before, "after": after}
        # The id alone, so that it stands among what else was done about the person or group.
        target = self.scope.key if self.scope.id is None else self.scope.name
        note(self.conn, self.actor, f"budget.{what}", target, self.now, details)


def _check_amount(amount: int) -> None:
    if not 0 < amount <= MOST_AMOUNT:
        raise BudgetError(f"{amount} is no amount", code="budget_amount", text=str(amount))


def _told(measure: Measure, amount: int | None) -> str:
    return "none" if amount is None else write_amount(measure, amount)
