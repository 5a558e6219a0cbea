"""Prices of models in the settings: ``[prices."provider/model"]``."""

import json
from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import BeforeValidator, Field, ValidationError

from tgllm.config.checks import day, model_reference
from tgllm.config.sections.base import Section, in_words

__all__ = ["MOST_DOLLARS", "PriceSetting", "read_prices"]

MOST_DOLLARS = 1_000_000.0
"""Per million tokens; larger values would not fit the database."""


class PriceSetting(Section):
    """Price of a model, in US dollars per million tokens."""

    model: str
    """Model reference ``provider/model``; the name of the table."""
    input: float = Field(ge=0, le=MOST_DOLLARS)
    output: float = Field(ge=0, le=MOST_DOLLARS)
    cached: float | None = Field(default=None, ge=0, le=MOST_DOLLARS)
    """For input tokens from the provider's cache; None: same as other input tokens."""
    cache_write: float | None = Field(default=None, ge=0, le=MOST_DOLLARS)
    """For input tokens written to the provider's cache; None: same as other input tokens."""
    as_of: Annotated[str, BeforeValidator(day)] = ""
    """The day on which the prices were valid."""


def read_prices(value: object) -> object:
    """Read a tuple of prices from the tables by model, or from the same as JSON.

    Raises:
        ValueError: a price is invalid; the message names the model.
    """
    tables = _parsed(value) if isinstance(value, str) else value
    if not isinstance(tables, Mapping):
        raise ValueError('must be tables such as [prices."mistral/mistral-small-latest"] with input and output')  # noqa: TRY004  pydantic turns a ValueError into words
    return tuple(_price(str(ref), table) for ref, table in cast("Mapping[object, object]", tables).items())


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(
            'must be JSON such as {"mistral/mistral-small-latest": {"input": 0.1, "output": 0.3}}'
        ) from None


def _price(ref: str, table: object) -> PriceSetting:
    if not isinstance(table, Mapping):
        raise ValueError(f"{ref!r} must have input and output, in US dollars for a million tokens")  # noqa: TRY004  pydantic turns a ValueError into words
    try:
        model = model_reference(ref)
    except ValueError:
        raise ValueError(f"{ref!r} must be written provider/model, in quotes") from None
    try:
        return PriceSetting.model_validate({**cast("Mapping[str, object]", table), "model": model})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ValueError(f"{ref!r}, {field}: {in_words(first['msg'])}") from None
