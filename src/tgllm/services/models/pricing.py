"""What a request costs: the operator's price goes first, then the one that the model's provider knows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tgllm.api import ModelRef, Price, Usage
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.db.tables.models import Model

__all__ = ["Prices", "Rates", "cost", "to_micros"]

MICROS = 1_000_000
"""Prices are stored as millionths of a US dollar, for a million tokens."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The price of a million tokens, in millionths of a US dollar."""

    input: int
    output: int
    cached: int | None = None
    """None: cached tokens cost as much as others."""
    as_of: str = ""
    """The day, as ``YYYY-MM-DD``; empty if it is not known."""


def to_micros(price: Price | PriceSetting) -> Rates:
    """A price as it is stored."""
    cached = None if price.cached is None else round(price.cached * MICROS)
    return Rates(round(price.input * MICROS), round(price.output * MICROS), cached, price.as_of)


def cost(rates: Rates, usage: Usage) -> int | None:
    """What a request costs, in millionths of a US dollar, rounded up; None where the provider did not count its tokens.

    Cached tokens are part of the input, and reasoning is part of the output, as ``Usage`` says.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    cached_rate = rates.input if rates.cached is None else rates.cached
    total = (usage.input_tokens - cached) * rates.input + cached * cached_rate + usage.output_tokens * rates.output
    return -(-total // MICROS)


class Prices:
    """Finds the price of a model."""

    def __init__(
        self,
        settings: Iterable[PriceSetting] = (),
        canonical: Callable[[ModelRef], ModelRef] = lambda ref: ref,
        *,
        fallback: float | None = None,
    ) -> None:
        """Take the operator's prices.

        Args:
            settings: from the config.
            canonical: puts the provider's id in place of an alias.
            fallback: US dollars for a million tokens that are counted where nobody knows the price; None: nothing is.
        """
        self._fallback = None if fallback is None else Rates(round(fallback * MICROS), round(fallback * MICROS))
        self._settings = {ModelRef.parse(price.model): to_micros(price) for price in settings}
        self._canonical = canonical

    def rates(self, conn: Connection, ref: ModelRef) -> Rates | None:
        """The price of a model; None where nobody knows it."""
        model = models.find(conn, ref)
        return self.override(ref) if model is None else self.override(ref) or self.of(model)

    def of(self, model: Model) -> Rates | None:
        """The price of a stored model; None where nobody knows it."""
        return self.override(model.ref, *_aliases(model)) or stored_rates(model)

    def override(self, *refs: ModelRef) -> Rates | None:
        """The operator's price for a model that has these names; None where there is none."""
        by_ref = {self._canonical(ref): rates for ref, rates in self._settings.items()}
        return next((by_ref[ref] for ref in refs if ref in by_ref), None)

    def billed(self, model: Model | None, ref: ModelRef) -> Rates | None:
        """The price at which a model is counted: the one that is known, else the fallback; None where there is none."""
        known = self.override(ref) if model is None else self.override(ref) or self.of(model)
        return known or self._fallback

    def cost(self, conn: Connection, ref: ModelRef, usage: Usage) -> int | None:
        """What a request is counted to cost, in millionths of a US dollar; None where price or tokens are unknown."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        rates = self.billed(models.find(conn, ref), ref)
        return None if rates is None else cost(rates, usage)


def stored_rates(model: Model) -> Rates | None:
    """The price that the provider knows; None where it does not."""
    if model.input_price is None or model.output_price is None:
        return None
    return Rates(model.input_price, model.output_price, model.cached_price, model.price_as_of or "")


def _aliases(model: Model) -> Iterable[ModelRef]:
    return (ModelRef(model.provider, alias) for alias in model.aliases)
