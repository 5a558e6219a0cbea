"""Settings for display, with their sources and hidden secrets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel, SecretStr

from tgllm.api.types import Json
from tgllm.config.load import LoadedConfig
from tgllm.config.sources.keys import FIELDS
from tgllm.observe.database_urls import shown
from tgllm.observe.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HIDDEN", "Setting", "settings", "visible_value"]

HIDDEN = "set (hidden)"
_URLS = frozenset({"database.url", "database.listen_url"})


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting for display."""

    key: str
    value: Json
    source: str
    description: str


def visible_value(value: object, *, is_url: bool = False) -> Json:
    """Return a value for display; secrets are hidden, but the address of a database is shown without its password."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr):
        return shown(value.get_secret_value()) if is_url else HIDDEN
    if isinstance(value, tuple | list | set | frozenset):
        return [visible_value(item) for item in cast("Iterable[object]", value)]
    if isinstance(value, dict):
        return {redact(str(name)): visible_value(item) for name, item in cast("dict[object, object]", value).items()}
    if isinstance(value, BaseModel):
        # Unset fields are omitted.
        return {name: visible_value(item) for name, item in value if item is not None and item != ""}
    return redact(str(value))


def _value(loaded: LoadedConfig, key: str) -> object:
    value: object = loaded.config
    for step in key.split("."):
        value = getattr(value, step)
    return value


def settings(loaded: LoadedConfig) -> tuple[Setting, ...]:
    """Return the bot's settings in the model's order."""
    return tuple(
        Setting(
            key,
            visible_value(_value(loaded, key), is_url=key in _URLS),
            str(loaded.sources[key]),
            field.description or "",
        )
        for key, field in FIELDS.items()
    )
