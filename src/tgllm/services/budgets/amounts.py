"""Limits and amounts as people write them: ``usd/month``, ``2.50``."""

from decimal import Decimal, InvalidOperation
from typing import Final, cast, get_args

from tgllm.api.budgets import Measure, Period
from tgllm.services.budgets.budget_scope import BudgetError

__all__ = ["LIMITS", "limit_name", "parse_amount", "parse_limit", "write_amount"]

LIMITS: Final[tuple[tuple[Measure, Period], ...]] = tuple(
    (measure, period) for measure in get_args(Measure) for period in get_args(Period)
)
"""All kinds of limits."""

_MICROS = 1_000_000
_MOST_DIGITS = 15


def limit_name(measure: Measure, period: Period) -> str:
    """How people write a limit: ``requests/day``, ``usd/month``."""
    return f"{'usd' if measure == 'cost' else measure}/{period}"


def parse_limit(text: str) -> tuple[Measure, Period]:
    """Read what ``limit_name`` wrote.

    Raises:
        BudgetError: it is no limit.
    """
    unit, _, period = text.strip().casefold().partition("/")
    measure = "cost" if unit == "usd" else "" if unit == "cost" else unit
    if measure not in get_args(Measure) or period not in get_args(Period):
        raise BudgetError(f"no limit: {text[:40]!r}", code="budget_limit", text=text[:40])
    return cast("Measure", measure), cast("Period", period)


def parse_amount(measure: Measure, text: str) -> int:
    """Read an amount: whole requests or tokens, or US dollars, which become millionths.

    Raises:
        BudgetError: it is none, or not above 0.
    """
    try:
        value = Decimal(text.strip().removeprefix("$").replace(",", "."))
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0 or value.adjusted() >= _MOST_DIGITS:
        raise BudgetError(f"no amount: {text[:40]!r}", code="budget_amount", text=text[:40])
    amount = value * _MICROS if measure == "cost" else value
    if amount < 1 or (measure != "cost" and amount != int(amount)):
        raise BudgetError(f"no amount: {text[:40]!r}", code="budget_amount", text=text[:40])
    return int(amount)


def write_amount(measure: Measure, amount: int) -> str:
    """An amount as ``parse_amount`` reads it."""
    return f"{Decimal(amount) / _MICROS:f}" if measure == "cost" else str(amount)
