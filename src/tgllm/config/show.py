"""Settings for display, with their sources and hidden secrets."""

from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, SecretStr

from tgllm.api.types import Json
from tgllm.config.load import LoadedConfig
from tgllm.config.sources.keys import FIELDS
from tgllm.observe.redaction import redact

__all__ = ["HIDDEN", "Setting", "settings"]

HIDDEN = "set (hidden)"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting for display."""

    key: str
    value: Json
    source: str
    description: str


def _visible(value: object) -> Json:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, tuple):
        return [_visible(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, BaseModel):
        # Unset fields are omitted.
        return {name: _visible(item) for name, item in value if item is not None and item != ""}
    return redact(str(value))


def _value(loaded: LoadedConfig, key: str) -> object:
    value: object = loaded.config
    for step in key.split("."):
        value = getattr(value, step)
    return value


def settings(loaded: LoadedConfig) -> tuple[Setting, ...]:
    """Return the bot's settings in the model's order, then those of plugins, whose values are all hidden."""
    own = (
        Setting(key, _visible(_value(loaded, key)), str(loaded.sources[key]), field.description or "")
        for key, field in FIELDS.items()
    )
    plugins = (
        Setting(f"plugins.{plugin}.{name}", HIDDEN, str(source), "")
        for plugin in loaded.plugins.ids
        for name, source in loaded.plugins.sources(plugin).items()
    )
    return (*own, *plugins)
