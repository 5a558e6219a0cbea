"""Prices of models from a TOML file in a provider's package."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tgllm.api.types import Price

__all__ = ["load_prices", "read_prices"]

_Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Day = Annotated[str, BeforeValidator(str)]
"""TOML parses an unquoted day as a date."""


class _Price(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: _Dollars
    output: _Dollars
    cached: _Dollars | None = None
    cache_write: _Dollars | None = None
    as_of: _Day | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    as_of: _Day = ""
    models: dict[str, _Price] = {}


def load_prices(package: str, name: str = "prices.toml") -> Mapping[str, Price]:
    """Load the prices from a file of an installed package, by model id; see ``read_prices``."""
    return read_prices(files(package).joinpath(name).read_text(encoding="utf-8"))


def read_prices(text: str) -> Mapping[str, Price]:
    """Parse prices in US dollars per million tokens from TOML, by model id.

    ```toml
    as_of = "2026-11-22"

    [models."small-1"]
    input = 0.15
    output = 0.6
    cached = 0.015  # optional: for tokens from the cache
    cache_write = 0.1875  # optional: for tokens written to the cache
    ```

    A model may override ``as_of``.

    Raises:
        ValueError: the format is invalid.
    """
    file = _File.model_validate(tomllib.loads(text))
    return {
        model: Price(
            price.input,
            price.output,
            price.cached,
            file.as_of if price.as_of is None else price.as_of,
            price.cache_write,
        )
        for model, price in file.models.items()
    }
