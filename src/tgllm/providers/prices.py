"""Prices of models from a TOML file in a provider's package: they change on fixed days, so they are data, not code."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import cast

from tgllm.api.types import Price

__all__ = ["load_prices", "read_prices"]


def load_prices(package: str, name: str = "prices.toml") -> Mapping[str, Price]:
    """The prices in a file of an installed package, by the model's id; for the format see ``read_prices``."""
    return read_prices(files(package).joinpath(name).read_text(encoding="utf-8"))


def read_prices(text: str) -> Mapping[str, Price]:
    """The prices in a text such as this, in US dollars for a million tokens, by the model's id.

    ```toml
    as_of = "2026-11-22"

    [models."small-1"]
    input = 0.15
    output = 0.6
    cached = 0.015  # optional
    ```

    A model may have an ``as_of`` of its own.

    Raises:
        ValueError: it is not such a text.
    """
    document = tomllib.loads(text)
    as_of = str(document.get("as_of", ""))
    models = cast("Mapping[str, Mapping[str, float | str]]", document.get("models", {}))
    return {model: _price(model, table, as_of) for model, table in models.items()}


def _price(model: str, table: Mapping[str, float | str], as_of: str) -> Price:
    try:
        cached = table.get("cached")
        return Price(
            input=float(table["input"]),
            output=float(table["output"]),
            cached=None if cached is None else float(cached),
            as_of=str(table.get("as_of", as_of)),
        )
    except KeyError as missing:
        raise ValueError(f"the price of {model} lacks {missing}") from None
