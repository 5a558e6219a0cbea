"""Text form of limits and amounts: ``usd/month``, ``2.50``."""

from decimal import Decimal, InvalidOperation
from typing import Final, cast, get_args

from tgllm.api.budgets import Measure, Period
from tgllm.services.budgets.budget_scope import BudgetError

__all__ = ["LIMITS", "limit_name", "parse_amount", "parse_limit", "write_amount"]

LIMITS: Final[tuple[tuple[Measure, Period], ...]] = tuple(
    (measure, period) for measure in get_args(Measure) for period in get_args(Period)
)
"""All combinations of measure and period."""

_MICROS = 1_000_000
_MOST_DIGITS = 15


def limit_name(measure: Measure, period: Period) -> str:
    """Return the text form of a limit: ``requests/day``, ``usd/month``."""
    return f"{'usd' if measure == 'cost' else measure}/{period}"


def parse_limit(text: str) -> tuple[Measure, Period]:
    """Parse the text form of a limit.

    Raises:
        BudgetError: the text is not a limit.
    """
    unit, _, period = text.strip().casefold().partition("/")
    measure = "cost" if unit == "usd" else "" if unit == "cost" else unit
    if measure not in get_args(Measure) or period not in get_args(Period):
        raise BudgetError(f"no limit: {text[:40]!r}", code="budget_limit", text=text[:40])
    return cast("Measure", measure), cast("Period", period)


def parse_amount(measure: Measure, text: str) -> int:
    """Parse an amount: whole requests or tokens, or US dollars, which become millionths.

    Raises:
        BudgetError: the text is not an amount, or it is not above 0.
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
    """Return an amount as text that ``parse_amount`` reads."""
    return f"{Decimal(amount) / _MICROS:f}" if measure == "cost" else str(amount)
