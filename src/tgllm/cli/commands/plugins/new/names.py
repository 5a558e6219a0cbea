"""Names of a new plugin: its id, package and module, and which are refused."""

import keyword
import re
from dataclasses import dataclass
from typing import Final

from tgllm.api.errors import PluginError

__all__ = ["PluginName", "read_name"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_PREFIX: Final = re.compile(r"tgllm[-_]", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")
_SHORTEST, _LONGEST = 2, 30  # a command has at most 32 characters (Bot API: BotCommand)
_CORE: Final = "tgllm"
_ALLOWED: Final = (
    f"A name has {_SHORTEST} to {_LONGEST} characters, begins with a small letter, and consists of small letters a-z, "
    "digits, and single hyphens or underscores between them"
)


@dataclass(frozen=True, slots=True)
class PluginName:
    """The names of one plugin."""

    id: str
    """With underscores, such as ``ice_cream``."""

    @property
    def package(self) -> str:
        """Name of the distribution."""
        return f"{_CORE}-{self.id.replace('_', '-')}"

    @property
    def module(self) -> str:
        """Name of the importable package."""
        return f"{_CORE}_{self.id}"

    @property
    def title(self) -> str:
        """Name for people."""
        return self.id.replace("_", " ").capitalize()

    @property
    def upper(self) -> str:
        """Id in the names of environment variables."""
        return self.id.upper()

    @property
    def ending(self) -> str:
        """Ending of names of files, without the dot."""
        return self.id.replace("_", "")[:16]


def read_name(text: str) -> PluginName:
    """Return the names for what was typed, with or without ``tgllm-``.

    Raises:
        PluginError: the name is not allowed; the message says which are.
    """
    core = _PREFIX.sub("", text, count=1)
    fits = _NAME.fullmatch(core) and _SHORTEST <= len(core) <= _LONGEST
    if not fits:
        raise PluginError(f'"{text}" can\'t be the name of a plugin. {_ALLOWED}, such as {_example(core)}.')
    plugin_id = core.replace("-", "_")
    if keyword.iskeyword(plugin_id):
        raise PluginError(f'"{text}" can\'t be the name of a plugin: {plugin_id} is a word of Python. Try another.')
    if plugin_id.split("_")[0] == _CORE:
        raise PluginError(f"\"{text}\" can't be the name of a plugin: names that begin with tgllm are the bot's own.")
    return PluginName(plugin_id)


def _example(text: str) -> str:
    """Return an allowed name that is like a refused one."""
    found = _SEPARATORS.sub("-", text.lower()).strip("-").lstrip("0123456789-")[:_LONGEST].rstrip("-")
    return found if len(found) >= _SHORTEST else "weather or ice-cream"
