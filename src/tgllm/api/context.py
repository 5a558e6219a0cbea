"""Description of a plugin, and the context that the host passes to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol

from tgllm.api.chats import Chats, NoChats
from tgllm.api.clock import Clock
from tgllm.api.jobs import Jobs
from tgllm.api.people import ChatInfo, People, UserInfo
from tgllm.api.types import Json

if TYPE_CHECKING:
    from pydantic import BaseModel
    from typing_extensions import TypeVar

    from tgllm.api.provider import ProviderPreset
    from tgllm.api.tools import Tools

    SettingsT = TypeVar("SettingsT", default=Any)
else:
    # The default is for type checkers: a plain ``PluginContext`` is one of any settings.
    from typing import TypeVar

    SettingsT = TypeVar("SettingsT")

__all__ = ["Check", "KeyValueStore", "Log", "PluginContext", "PluginInfo", "Texts"]


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """Description of a plugin, returned by ``tgllm_plugin_info``, the first hook that is called."""

    id: str
    """``[a-z][a-z0-9]*(_[a-z0-9]+)*``; the name of its config section (``[plugins.<id>]``) and data folder."""
    title: str
    api: str
    """The version of the plugin API it was written for, such as ``"1.0"``."""
    settings: "type[BaseModel] | None" = None
    """A pydantic model of its settings, or None for no settings. Validated before any other hook runs."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Common environment variables of settings: field -> variable, such as ``api_key: GEMINI_API_KEY``.

    A value inside a table is named with a dot, such as ``keys.groq`` (since 1.1).

    Names that begin with ``TGLLM_`` are reserved for the bot.
    """
    texts: Path | None = None
    """A folder with the plugin's texts, one TOML file per language, such as ``en.toml``; see ``Texts``."""
    presets: "Callable[[], Sequence[ProviderPreset]] | None" = None
    """Returns providers that the plugin can have beside those of ``tgllm_providers``; called by ``tgllm init`` only.

    Since 1.1.
    """


class KeyValueStore(Protocol):
    """Durable key-value store of a plugin. Values are JSON, at most 64 KiB each.

    A plugin has room for 100,000 values and 64 MiB, and each person or group for 1,000 values and 1 MiB of that. Beyond
    it ``set`` and ``update`` raise PluginError for what takes more room than before.
    """

    async def get(self, key: str) -> Json:
        """Return the value, or None."""
        ...

    async def set(self, key: str, value: Json) -> None:
        """Store a value; it is durable when this returns."""
        ...

    async def delete(self, key: str) -> None:
        """Delete a value; does nothing if there is none."""
        ...

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys that begin with ``prefix``, sorted; without those of people and groups (``of``)."""
        ...

    async def update(self, key: str, fn: Callable[[Json], Json]) -> Json:
        """Replace a value by ``fn`` of it, atomically, and return the new one; it is durable when this returns.

        Args:
            key: the key.
            fn: a plain function that gets the value, or None, and returns the new one, or None to delete it. It is
                called again if another process changes the value meanwhile, so it must have no side effects. What it
                raises is raised here, and nothing is stored.
        """
        ...

    def of(self, owner: UserInfo | ChatInfo | int) -> "KeyValueStore":
        """Return the values of a person or group, with keys of their own.

        Those of a person are deleted with ``/forget``; those of a group follow it to its supergroup.

        Args:
            owner: the person, the chat, or Telegram's id of either.
        """
        ...


class Log(Protocol):
    """Structured logger of events with named values. Secrets are redacted."""

    def debug(self, event: str, **values: object) -> object:
        """Log details for debugging."""
        ...

    def info(self, event: str, **values: object) -> object:
        """Log normal operation."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Log a problem after which the bot continues normally."""
        ...

    def error(self, event: str, **values: object) -> object:
        """Log a failure."""
        ...


class Texts(Protocol):
    """Text catalogue: the bot's own texts, and those of ``PluginInfo.texts``.

    Keys of the latter begin with the plugin's id and a dot. A text may have parameters in braces, and plural forms (a
    table with ``one``, ``few``, ``many``, ``other``), which the parameter ``count`` selects.
    """

    def __call__(self, key: str, language: str = "en", **params: object) -> str:
        """Return the text of a key in the language closest to ``language``, with its parameters filled in.

        The fallback is the English text, then the key.
        """
        ...


@dataclass(frozen=True, slots=True)
class PluginContext(Generic[SettingsT]):
    """Context that the host passes to a plugin.

    With ``ctx: PluginContext[Settings]`` in a hook or handler, type checkers know the type of ``ctx.settings``.
    """

    plugin_id: str
    settings: SettingsT
    """An instance of the model in ``PluginInfo.settings``, or None."""
    log: Log
    data_dir: Path
    """A folder for the plugin's files; it exists. Backups contain it, but for its folders ``cache`` and ``models``."""
    store: KeyValueStore
    clock: Clock
    texts: Texts
    chats: Chats = field(default_factory=NoChats)
    """Messages to chats, beside replies. Since 1.1."""
    jobs: Jobs = field(default_factory=lambda: _absent(Jobs))
    """The plugin's one-shot jobs."""
    people: People = field(default_factory=lambda: _absent(People))
    timezone: tzinfo = UTC
    """The bot's time zone, that of ``JobSpec.cron``; ``people.timezone`` returns a person's own."""
    tools: "Tools" = field(default_factory=lambda: _absent("Tools"))
    """The plugin's tools that are known only while it runs. Since 1.2."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of ``tgllm doctor``."""

    name: str
    state: Literal["ok", "warning", "failed", "not configured"]
    detail: str = ""
    """The problem and its solution."""


class _Absent:
    """Stand-in for a part of the host that a context made by hand, as in a plugin's unit test, does not have."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"this PluginContext was made without {self._kind}, so it has no {name!r}")


def _absent(kind: type[object] | str) -> Any:  # noqa: ANN401  it stands for any of the protocols
    return _Absent(kind if isinstance(kind, str) else kind.__name__)
