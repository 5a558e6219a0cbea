"""Prices and costs of requests: the operator's price takes precedence over the provider's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tgllm.api import ModelRef, Price, Usage
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.db.tables.models import Model

__all__ = ["Prices", "Rates", "cost", "to_micros"]

MICROS = 1_000_000
"""Stored prices are in millionths of a US dollar for a million tokens."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Price of a million tokens, in millionths of a US dollar."""

    input: int
    output: int
    cached: int | None = None
    """Price of cached input tokens; None: the same as ``input``."""
    as_of: str = ""
    """Date of the price, as ``YYYY-MM-DD``; empty if unknown."""
    cache_write: int | None = None
    """Price of input tokens written to the provider's cache; None: the same as ``input``."""


def to_micros(price: Price | PriceSetting) -> Rates:
    """Convert a price in US dollars to stored units."""
    cached, written = (
        None if dollars is None else round(dollars * MICROS) for dollars in (price.cached, price.cache_write)
    )
    return Rates(round(price.input * MICROS), round(price.output * MICROS), cached, price.as_of, written)


def cost(rates: Rates, usage: Usage) -> int | None:
    """Return the cost of a request in millionths of a US dollar, rounded up; None if its token counts are unknown.

    As in ``Usage``, tokens that were read from a cache or written to it are part of the input tokens, and reasoning
    tokens part of the output tokens.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    written = min(usage.cache_write_tokens or 0, usage.input_tokens - cached)
    cached_rate = rates.input if rates.cached is None else rates.cached
    write_rate = rates.input if rates.cache_write is None else rates.cache_write
    total = (usage.input_tokens - cached - written) * rates.input + usage.output_tokens * rates.output
    total += cached * cached_rate + written * write_rate
    return -(-total // MICROS)


class Prices:
    """Lookup of the prices of models."""

    def __init__(
        self,
        settings: Iterable[PriceSetting] = (),
        canonical: Callable[[ModelRef], ModelRef] = lambda ref: ref,
        *,
        fallback: float | None = None,
    ) -> None:
        """Use the operator's prices.

        Args:
            settings: prices of the config.
            canonical: replaces an alias of a provider by its id.
            fallback: US dollars for a million tokens of models with an unknown price; None: they have no cost.
        """
        self._fallback = None if fallback is None else Rates(round(fallback * MICROS), round(fallback * MICROS))
        self._settings = {ModelRef.parse(price.model): to_micros(price) for price in settings}
        self._canonical = canonical

    def rates(self, conn: Connection, ref: ModelRef) -> Rates | None:
        """Return the price of a model; None if unknown."""
        model = models.find(conn, ref)
        return self.override(ref) if model is None else self.override(ref) or self.of(model)

    def of(self, model: Model) -> Rates | None:
        """Return the price of a stored model; None if unknown."""
        return self.override(model.ref, *_aliases(model)) or stored_rates(model)

    def override(self, *refs: ModelRef) -> Rates | None:
        """Return the operator's price for any of a model's names; None without one."""
        by_ref = {self._canonical(ref): rates for ref, rates in self._settings.items()}
        return next((by_ref[ref] for ref in refs if ref in by_ref), None)

    def billed(self, model: Model | None, ref: ModelRef) -> Rates | None:
        """Return the price by which a model's usage is counted, the fallback included; None without any."""
        known = self.override(ref) if model is None else self.override(ref) or self.of(model)
        return known or self._fallback

    def cost(self, conn: Connection, ref: ModelRef, usage: Usage) -> int | None:
        """Return the counted cost of a request in millionths of a US dollar; None if price or tokens are unknown."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        rates = self.billed(models.find(conn, ref), ref)
        return None if rates is None else cost(rates, usage)


def stored_rates(model: Model) -> Rates | None:
    """Return the price that the provider reports; None without one."""
    if model.input_price is None or model.output_price is None:
        return None
    return Rates(
        model.input_price, model.output_price, model.cached_price, model.price_as_of or "", model.cache_write_price
    )


def _aliases(model: Model) -> Iterable[ModelRef]:
    return (ModelRef(model.provider, alias) for alias in model.aliases)
