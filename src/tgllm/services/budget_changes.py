"""What can be changed about a budget."""

from dataclasses import dataclass
from typing import TypeAlias

from tgllm.api.budgets import Measure, Period

__all__ = ["BudgetChange", "ClearLimit", "GiveExtra", "ResetUse", "SetLimit"]


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
