"""Settings of the llm plugin."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, SecretStr

__all__ = ["Price", "Settings"]


def _several(value: object) -> object:
    """Read a list from a text, as a variable of the environment has it."""
    return [part for part in re.split(r"[\s,]+", value) if part] if isinstance(value, str) else value


class Price(BaseModel):
    """Price of a model, in US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For input tokens from the service's cache; None: same as other input tokens."""
    cache_write: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """For input tokens written to the service's cache; None: same as other input tokens."""
    as_of: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$")
    """The day on which it was valid."""


class Settings(BaseModel):
    """Settings in ``[plugins.llm]``. An unknown key is an error, so that typos are reported at startup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_path: str = ""
    """Folder with llm's ``keys.json``, ``aliases.json`` and ``extra-openai-models.yaml``; empty: llm's own."""
    keys: dict[str, SecretStr] = {}
    """Keys by llm's names for them, such as ``anthropic``; they come before those that llm has stored."""
    models: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Patterns of the models to offer, such as ``claude-*``, and with ``!`` in front of those not to offer.

    Empty: all. A name without a pattern is offered even if its key is missing.
    """
    options: dict[str, dict[str, JsonValue]] = {}
    """Options by model, as ``llm models --options`` lists them; a question's own settings come before them."""
    prices: dict[str, Price] = {}
    """Prices by model; llm knows none."""
    context_window: int | None = Field(default=None, ge=256)
    """Maximum tokens of a request, of all models; llm knows none."""
    threads: int = Field(default=4, ge=1, le=64)
    """Answers at a time of models that have no asynchronous form."""
    timeout_seconds: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Idle timeout: how long a model may be silent."""
