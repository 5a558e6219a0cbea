"""Parameters of texts about budgets: scope, measure, usage, limit and time of reset."""

from tgllm.api.budgets import Measure, Period
from tgllm.i18n.catalogue import Catalogue
from tgllm.i18n.numbers import dollars, grouped

__all__ = ["budget_amount", "budget_words"]


def budget_amount(measure: Measure, amount: int) -> str:
    """Format an amount of requests, tokens, or millionths of a US dollar."""
    return f"${dollars(amount)}" if measure == "cost" else grouped(amount)


def budget_words(  # noqa: PLR0913  each is a part of the sentence
    texts: Catalogue, language: str, *, whose: str, measure: Measure, period: Period, used: int, limit: int, until: str
) -> dict[str, str]:
    """Return the parameters of a text about a budget.

    Args:
        texts: the catalogue.
        language: language of the words.
        whose: scope of the budget: ``user``, ``group`` or ``bot``.
        measure: what the budget limits.
        period: period of the limit.
        used: amount used so far.
        limit: amount allowed.
        until: time of the next reset, formatted.
    """
    return {
        "whose": texts(f"budget.whose_{whose}", language),
        "period": texts(f"budget.period_{period}", language),
        "measure": texts(f"budget.measure_{measure}", language),
        "used": budget_amount(measure, used),
        "limit": budget_amount(measure, limit),
        "until": until,
    }
