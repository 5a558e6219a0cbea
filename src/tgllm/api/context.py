"""What a plugin says of itself, and what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from tgllm.api.clock import Clock
from tgllm.api.types import Json

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Check", "KeyValueStore", "Log", "PluginContext", "PluginInfo", "Texts"]


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """What a plugin is. Returned by ``tgllm_plugin_info``, the first hook that is called."""

    id: str
    """``[a-z][a-z0-9]*(_[a-z0-9]+)*``; names its section in the config (``[plugins.<id>]``) and its data folder."""
    title: str
    api: str
    """The version of the contract it was written for, such as ``"1.0"``."""
    settings: "type[BaseModel] | None" = None
    """A pydantic model of its settings; None takes no settings. Validated before any other hook runs."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings that people already know under another name: field -> variable, such as ``api_key: GEMINI_API_KEY``.

    Names that begin with ``TGLLM_`` are the bot's own.
    """
    texts: Path | None = None
    """A folder with texts of the plugin's own, one TOML file for each language, such as ``en.toml``; see ``Texts``."""


class KeyValueStore(Protocol):
    """A small durable store of the plugin's own. Values are JSON, 64 KiB at most each."""

    async def get(self, key: str) -> Json:
        """The value, or None."""
        ...

    async def set(self, key: str, value: Json) -> None:
        """Store a value; it is on disk when this returns."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value; harmless if there is none."""
        ...


class Log(Protocol):
    """A structured logger: an event in words, and values by name. Secrets are blotted out on the way."""

    def debug(self, event: str, **values: object) -> object:
        """For whoever looks for a fault."""
        ...

    def info(self, event: str, **values: object) -> object:
        """Normal work worth a line."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Something is off, and the bot goes on."""
        ...

    def error(self, event: str, **values: object) -> object:
        """Something failed."""
        ...


class Texts(Protocol):
    """The text catalogue: the bot's own texts, and those of ``PluginInfo.texts``.

    Keys of the latter begin with the plugin's id and a dot. A text may have parameters in braces, and plural forms (a
    table with ``one``, ``few``, ``many``, ``other``), of which the parameter ``count`` chooses.
    """

    def __call__(self, key: str, language: str = "en", **params: object) -> str:
        """The text of that key in the language nearest to ``language``, with its parameters filled in.

        Where there is none, it is the English one, and where that is missing too, the key.
        """
        ...


@dataclass(frozen=True, slots=True)
class PluginContext:
    """All that the host hands to a plugin."""

    plugin_id: str
    settings: object
    """An instance of the model in ``PluginInfo.settings``, or None."""
    log: Log
    data_dir: Path
    """A folder for the plugin's own files; it exists."""
    store: KeyValueStore
    clock: Clock
    texts: Texts


@dataclass(frozen=True, slots=True)
class Check:
    """One line of ``tgllm doctor``."""

    name: str
    state: Literal["ok", "warning", "failed", "not configured"]
    detail: str = ""
    """What is wrong and what to do."""
