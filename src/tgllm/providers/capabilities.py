"""Capabilities of models from a TOML file in a provider's package, for services that list only ids."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, PositiveInt

from tgllm.api.types import ModelInfo

__all__ = ["load_capabilities", "read_capabilities"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = ""
    context_window: PositiveInt | None = None
    max_output_tokens: PositiveInt | None = None
    mime_types: list[str] = []
    reasoning: bool = False
    aliases: list[str] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    models: dict[str, _Model] = {}


def load_capabilities(package: str, name: str = "capabilities.toml") -> Mapping[str, ModelInfo]:
    """Load the models from a file of an installed package, by id and alias; see ``read_capabilities``."""
    return read_capabilities(files(package).joinpath(name).read_text(encoding="utf-8"))


def read_capabilities(text: str) -> Mapping[str, ModelInfo]:
    """Parse models from TOML, by id and alias.

    ```toml
    [models."small-1"]
    title = "Small"
    context_window = 128_000     # tokens
    max_output_tokens = 8_000    # tokens
    mime_types = ["image/png"]
    reasoning = true
    aliases = ["small-latest"]
    ```

    All fields are optional.

    Raises:
        ValueError: the format is invalid.
    """
    read = _File.model_validate(tomllib.loads(text)).models
    models = [_info(name, model) for name, model in read.items()]
    return {name: model for model in models for name in (*model.aliases, model.id)}


def _info(name: str, model: _Model) -> ModelInfo:
    return ModelInfo(
        name,
        title=model.title,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        mime_types=frozenset(model.mime_types),
        reasoning=model.reasoning,
        aliases=tuple(model.aliases),
    )
