"""Budgets in words: a line and a bar for each."""

from tgllm.bot.ui.usage_words import Say, bar
from tgllm.i18n.budgets import budget_amount
from tgllm.services.budgets.budget import Budget
from tgllm.services.common.calendar import Days

__all__ = ["budget_line"]


def budget_line(say: Say, budget: Budget, days: Days) -> str:
    """How much of a budget is used, what is left of it, and until when; with a bar."""
    return say(
        "budget.line",
        measure=say(f"budget.measure_{budget.measure}"),
        period=say(f"budget.period_{budget.period}"),
        bar=bar(budget.used, budget.limit),
        percent=budget.percent,
        used=budget_amount(budget.measure, budget.used),
        limit=budget_amount(budget.measure, budget.limit),
        left=budget_amount(budget.measure, budget.left),
        until=days.told(budget.until),
    )
