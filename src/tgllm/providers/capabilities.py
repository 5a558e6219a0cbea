"""What models can do, from a TOML file in a provider's package: for services whose list of models tells ids only."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import cast

from tgllm.api.types import ModelInfo

__all__ = ["load_capabilities", "read_capabilities"]

_FIELDS = {"title", "context_window", "max_output_tokens", "mime_types", "reasoning", "aliases"}


def load_capabilities(package: str, name: str = "capabilities.toml") -> Mapping[str, ModelInfo]:
    """The models in a file of an installed package, by id and by alias; for the format see ``read_capabilities``."""
    return read_capabilities(files(package).joinpath(name).read_text(encoding="utf-8"))


def read_capabilities(text: str) -> Mapping[str, ModelInfo]:
    """The models in a text such as this, by id and by alias.

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
        ValueError: it is not such a text.
    """
    tables = cast("Mapping[str, Mapping[str, object]]", tomllib.loads(text).get("models", {}))
    models = [_model(name, table) for name, table in tables.items()]
    return {name: model for model in models for name in (*model.aliases, model.id)}


def _model(name: str, table: Mapping[str, object]) -> ModelInfo:
    if unknown := set(table) - _FIELDS:
        raise ValueError(f"{name}: unknown field {min(unknown)}; there are: {', '.join(sorted(_FIELDS))}")
    return ModelInfo(
        name,
        title=cast("str", table.get("title", "")),
        context_window=cast("int | None", table.get("context_window")),
        max_output_tokens=cast("int | None", table.get("max_output_tokens")),
        mime_types=frozenset(cast("Iterable[str]", table.get("mime_types", ()))),
        reasoning=bool(table.get("reasoning")),
        aliases=tuple(cast("Iterable[str]", table.get("aliases", ()))),
    )
