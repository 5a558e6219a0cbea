"""Changes of budgets by admins, each with a row of the audit trail."""

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
from tgllm.services.budgets.permissions import acts_as_owner, check_limits, check_role_limits, check_scope
from tgllm.services.budgets.usage_sums import UsageSums
from tgllm.services.common.actor import Actor, note
from tgllm.services.common.calendar import Days
from tgllm.services.people.decisions import known

__all__ = ["BudgetChange", "BudgetEditor", "ClearLimit", "GiveExtra", "ResetUse", "SetLimit"]


@dataclass(frozen=True, slots=True)
class SetLimit:
    """Set or lift a limit; this overrides the role and the configuration."""

    measure: Measure
    period: Period
    amount: int | None
    """Requests, tokens, or millionths of a US dollar; None lifts the limit."""


@dataclass(frozen=True, slots=True)
class ClearLimit:
    """Remove a limit that was set; the limit of the role or of the configuration applies again."""

    measure: Measure
    period: Period


@dataclass(frozen=True, slots=True)
class GiveExtra:
    """Add an extra to a limit for the current day or month."""

    measure: Measure
    period: Period
    amount: int
    """Requests, tokens, or millionths of a US dollar."""


@dataclass(frozen=True, slots=True)
class ResetUse:
    """Reset usage and extras of the current day and month to zero."""


BudgetChange: TypeAlias = SetLimit | ClearLimit | GiveExtra | ResetUse


MOST_AMOUNT = 10**15
"""Larger amounts are mistakes, and their sums would overflow the integers of the database."""


@dataclass(frozen=True, slots=True)
class BudgetEditor:
    """Makes one admin's changes of one scope, inside an open write transaction."""

    conn: Connection
    scope: BudgetScope
    actor: Actor
    now: int
    """UTC, in milliseconds."""
    days: Days

    def check(self) -> User | None:
        """Check that the actor may change this scope; return the person whose budget it is, if it is one person's.

        Raises:
            AccessError: the actor may not, or the user id is unknown.
        """
        check_scope(self.conn, self.scope, self.actor, self.now)
        return known(self.conn, self.scope.id or 0) if self.scope.kind == "user" else None

    def make(self, change: BudgetChange, limits: Sequence[Limit], sums: UsageSums) -> None:
        """Make a change.

        Args:
            change: the change.
            limits: the limits of the scope.
            sums: of usage.

        Raises:
            AccessError: an owner has set the limit, and the actor is none.
            BudgetError: there is no such limit, the amount is invalid, or roles can't have this change.
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
        self._check_limits([(measure, period)])
        check_role_limits(self.conn, self.scope, [(measure, period)], self.actor, self.now, amount=amount)
        before, after = self._set_before(measure, period), _told(measure, amount)
        by_owner = acts_as_owner(self.conn, self.actor, self.now)
        budgets.put(self.conn, BudgetLimit(self.scope.key, measure, period, amount, by_owner), self.now)
        self._note("set" if amount is not None else "lift", measure, period, before=before, after=after)

    def _clear(self, measure: Measure, period: Period) -> None:
        self._check_limits([(measure, period)])
        before = self._set_before(measure, period)
        budgets.clear(self.conn, self.scope.key, measure, period)
        self._note("clear", measure, period, before=before, after="default")

    def _give(self, limits: Sequence[Limit], measure: Measure, period: Period, amount: int) -> None:
        _check_amount(amount)
        self._check_not_role()
        held = [each for each in limits if (each.measure, each.period) == (measure, period)]
        if not any(each.amount is not None for each in held):
            raise self._nothing()
        # An extra goes beyond the limit, so it needs the same permission.
        self._check_limits([(measure, period)])
        check_role_limits(self.conn, self.scope, [(measure, period)], self.actor, self.now)
        budgets.give(self.conn, self.scope.key, measure, period, self._first_day(period), amount)
        self._note("give", measure, period, before=None, after=write_amount(measure, amount))

    def _reset(self, limits: Sequence[Limit], sums: UsageSums) -> None:
        self._check_not_role()
        held = [each for each in limits if each.amount is not None]
        if not held:
            raise self._nothing()
        kinds: list[tuple[Measure, Period]] = [(each.measure, each.period) for each in held]
        self._check_limits(kinds)
        check_role_limits(self.conn, self.scope, kinds, self.actor, self.now)
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

    def _check_limits(self, limits: Sequence[tuple[Measure, Period]]) -> None:
        check_limits(self.conn, self.scope, limits, self.actor, self.now)

    def _check_not_role(self) -> None:
        if self.scope.kind == "role":
            raise BudgetError("a role has limits only", code="budget_role")

    def _nothing(self) -> BudgetError:
        return BudgetError(f"{self.scope.key} has no such limit", code="budget_none", scope=self.scope.name or "bot")

    def _note(self, what: str, measure: Measure, period: Period, *, before: str | None, after: str) -> None:
        details: dict[str, str | int | None] = {"limit": limit_name(measure, period), "before": before, "after": after}
        # The id alone, as in all audit rows about a person or group, so that one filter finds them.
        target = self.scope.key if self.scope.id is None else self.scope.name
        note(self.conn, self.actor, f"budget.{what}", target, self.now, details)


def _check_amount(amount: int) -> None:
    if not 0 < amount <= MOST_AMOUNT:
        raise BudgetError(f"{amount} is no amount", code="budget_amount", text=str(amount))


def _told(measure: Measure, amount: int | None) -> str:
    return "none" if amount is None else write_amount(measure, amount)
