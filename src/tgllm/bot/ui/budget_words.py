"""Texts of budgets."""

from tgllm.bot.ui.usage_words import Say, bar
from tgllm.i18n.budgets import budget_amount
from tgllm.services.budgets.budget import Budget
from tgllm.services.common.calendar import Days

__all__ = ["budget_line"]


def budget_line(say: Say, budget: Budget, days: Days) -> str:
    """Return a line on a budget: what is used, what is left, until when, and a bar."""
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
