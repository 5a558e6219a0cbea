"""Budgets in words: a line and a bar for each."""

from tgllm.bot.ui.usage_words import Say, bar
from tgllm.i18n.budgets import budget_amount
from tgllm.services.budgets.budget import Allowance
from tgllm.services.common.calendar import Days

__all__ = ["allowance_line"]


def allowance_line(say: Say, allowance: Allowance, days: Days) -> str:
    """How much of a budget is used, what is left of it, and until when; with a bar."""
    return say(
        "budget.line",
        measure=say(f"budget.measure_{allowance.measure}"),
        period=say(f"budget.period_{allowance.period}"),
        bar=bar(allowance.used, allowance.limit),
        percent=allowance.percent,
        used=budget_amount(allowance.measure, allowance.used),
        limit=budget_amount(allowance.measure, allowance.limit),
        left=budget_amount(allowance.measure, allowance.left),
        until=days.told(allowance.until),
    )
