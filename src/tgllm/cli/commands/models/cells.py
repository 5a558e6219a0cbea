"""Models as table rows and JSON objects."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tgllm.services.common.times import iso_time

if TYPE_CHECKING:
    from tgllm.db.tables.models import Model

__all__ = ["COLUMNS", "MICROS", "Dollars", "as_object", "as_row", "dollars_of", "mark_default"]

COLUMNS = ("Model", "Context window", "Vision", "Files", "Reasoning", "USD per 1M tokens", "Default")

MICROS = 1_000_000
"""Prices are stored in millionths of a US dollar."""

Dollars = dict[str, float | str | None]
"""A price in US dollars per million tokens: ``input``, ``output``, ``cached``, ``cache_write``, ``as_of``."""


def as_row(model: "Model", price: Dollars | None, *, is_default: bool) -> Sequence[str]:
    """Return the cells of a model."""
    return (
        str(model.ref),
        "-" if model.context_window is None else f"{model.context_window:,}",
        _yes(_vision(model)),
        _yes(bool(model.mime_types)),
        _yes(model.reasoning),
        "unknown" if price is None else _price(price),
        _yes(is_default),
    )


def as_object(model: "Model", price: Dollars | None, *, is_default: bool) -> dict[str, object]:
    """Return the JSON object of a model, with more fields than the table; times are ISO 8601 in UTC."""
    return {
        "model": str(model.ref),
        "title": model.title,
        "aliases": list(model.aliases),
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "vision": _vision(model),
        "files": bool(model.mime_types),
        "mime_types": list(model.mime_types),
        "reasoning": model.reasoning,
        "price": price,
        "default": is_default,
        "first_seen_at": iso_time(model.first_seen_at),
        "last_seen_at": iso_time(model.last_seen_at),
    }


def mark_default(models: Sequence["Model"], fallback: str) -> Callable[["Model"], bool]:
    """Return a function that tells whether a model is the default: the selected one, or else that of the settings.

    Args:
        models: the available models.
        fallback: the default model of the settings.
    """
    if any(model.is_default for model in models):
        return lambda model: model.is_default
    by_id = any(str(model.ref) == fallback for model in models)
    provider, _, name = fallback.partition("/")
    return lambda model: str(model.ref) == fallback if by_id else model.provider == provider and name in model.aliases


def dollars_of(model: "Model") -> Dollars | None:
    """Return the price from the provider, or None if it is unknown."""
    if model.input_price is None or model.output_price is None:
        return None
    return {
        "input": model.input_price / MICROS,
        "output": model.output_price / MICROS,
        "cached": None if model.cached_price is None else model.cached_price / MICROS,
        "cache_write": None if model.cache_write_price is None else model.cache_write_price / MICROS,
        "as_of": model.price_as_of,
    }


def _price(price: Dollars) -> str:
    cached = "" if price["cached"] is None else f", {price['cached']:g} cached"
    written = "" if price["cache_write"] is None else f", {price['cache_write']:g} cache write"
    return f"{price['input']:g} in, {price['output']:g} out{cached}{written}"


def _vision(model: "Model") -> bool:
    return any(mime == "*/*" or mime.startswith("image/") for mime in model.mime_types)


def _yes(value: object) -> str:
    return "yes" if value else "-"
