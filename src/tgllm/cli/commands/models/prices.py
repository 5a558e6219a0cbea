"""Prices for ``tgllm models list`` with the operator's own prices."""

from collections.abc import Callable, Iterable

from tgllm.api.model_ref import ModelRef
from tgllm.cli.commands.models.cells import Dollars, dollars_of
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.tables.models import Model

__all__ = ["price_finder"]


def price_finder(settings: Iterable[PriceSetting]) -> Callable[[Model], Dollars | None]:
    """Return a function that returns the operator's price of a model, or else that of its provider."""
    by_ref = {ModelRef.parse(price.model): price for price in settings}

    def find(model: Model) -> Dollars | None:
        names = (model.ref, *(ModelRef(model.provider, alias) for alias in model.aliases))
        own = next((by_ref[name] for name in names if name in by_ref), None)
        return dollars_of(model) if own is None else _dollars(own)

    return find


def _dollars(price: PriceSetting) -> Dollars:
    return {
        "input": price.input,
        "output": price.output,
        "cached": price.cached,
        "cache_write": price.cache_write,
        "as_of": price.as_of or None,
    }
