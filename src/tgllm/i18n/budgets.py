"""Words for budgets: whose, of what, how much of it is used, and when it begins anew."""

from tgllm.api.budgets import Measure, Period
from tgllm.i18n.catalogue import Catalogue
from tgllm.i18n.numbers import dollars, grouped

__all__ = ["budget_amount", "budget_words"]


def budget_amount(measure: Measure, amount: int) -> str:
    """Requests, tokens, or millionths of a US dollar, as people read them."""
    return f"${dollars(amount)}" if measure == "cost" else grouped(amount)


def budget_words(  # noqa: PLR0913  each is a part of the sentence
    texts: Catalogue, language: str, *, whose: str, measure: Measure, period: Period, used: int, limit: int, until: str
) -> dict[str, str]:
    """The parameters of the texts about a budget.

    Args:
        texts: the catalogue.
        language: whose words.
        whose: ``user``, ``group`` or ``bot``.
        measure: what is limited.
        period: for how long.
        used: of it.
        limit: of it.
        until: when it begins anew, as people read it.
    """
    return {
        "whose": texts(f"budget.whose_{whose}", language),
        "period": texts(f"budget.period_{period}", language),
        "measure": texts(f"budget.measure_{measure}", language),
        "used": budget_amount(measure, used),
        "limit": budget_amount(measure, limit),
        "until": until,
    }
