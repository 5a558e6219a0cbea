"""Limits and amounts as people write them: ``requests/day``, ``usd/month``, ``2.50``."""

from decimal import Decimal, InvalidOperation
from typing import Final, get_args

from tgllm.api.budgets import Measure, Period
from tgllm.services.budget_scope import BudgetError

__all__ = ["limit_name", "parse_amount", "parse_limit"]

MICROS: Final = 1_000_000
"""Money is counted in millionths of a US dollar."""
MOST_SHOWN: Final = 40

_MEASURES: Final[dict[str, Measure]] = {"requests": "requests", "tokens": "tokens", "usd": "cost", "cost": "cost"}
_PERIODS: Final[dict[str, Period]] = {period: period for period in get_args(Period)}


def limit_name(measure: Measure, period: Period) -> str:
    """How a limit is written."""
    return f"{'usd' if measure == 'cost' else measure}/{period}"


def parse_limit(text: str) -> tuple[Measure, Period]:
    """Read what ``limit_name`` wrote, in any case.

    Raises:
        BudgetError: it is no limit.
    """
    name, _, span = text.strip().lower().partition("/")
    measure, period = _MEASURES.get(name), _PERIODS.get(span)
    if measure is None or period is None:
        raise BudgetError("no limit", code="budget_limit", text=text[:MOST_SHOWN])
    return measure, period


def parse_amount(measure: Measure, text: str) -> int:
    """Requests, tokens, or millionths of a US dollar; read from a number above 0, of dollars also with a fraction.

    Raises:
        BudgetError: it is no such amount.
    """
    try:
        number = Decimal(text.strip().removeprefix("$"))
        amount = number * MICROS if measure == "cost" else number
        if number.is_finite() and number > 0 and amount == int(amount) and number.adjusted() < len(str(10**15)):
            return int(amount)
    except InvalidOperation:
        pass
    raise BudgetError("no amount", code="budget_amount", text=text[:MOST_SHOWN])
