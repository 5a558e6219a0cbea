"""Which settings a ``.env`` file may combine with secrets of other sources.

``.env`` is read from the current folder, which may be anyone's: a downloaded project, a shared folder. An address in it
together with a token or key from elsewhere would send that secret to the address. The same applies to an address in a
config file that ``.env`` has named.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tgllm.config.sources.lines import spot
from tgllm.config.sources.plugin_values import PluginValue
from tgllm.config.sources.source import DEFAULT, Source, Value

__all__ = ["Trust", "bot_problems", "field_problem", "is_foreign", "is_secret_name"]

TOKEN: Final = "bot_token"  # noqa: S105  a key of the settings
ADDRESSES: Final = ("telegram_api", "webhook.url")
"""Settings that say where the token, or what people write to the bot, is sent."""
POWERS: Final = ("admin_chat_id", "admin_ids", "admin.password_hash", "data_dir", "disable_plugins")
"""Settings that say who controls the bot, who may use it and where its data is. Refused with a config file's token."""

_ADDRESS = re.compile(
    r"(?:^|[._])(?:url|uri|host|hostname|server|endpoint|address|proxy|dsn|domain|port|api_base|gateway|origin|preset)s?$"
)
"""A preset has an address."""
_ADDRESS_VALUE = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SECRET = re.compile(r"(?:^|[._])(?:key|token|secret|password|credential)s?(?:$|[._])")
_MACHINE = re.compile(r"(?:^|[._])project$")
"""A Google Cloud project: requests then carry the credentials of this machine, which no setting contains."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the ``.env`` of the current folder is trusted."""

    dotenv: Path
    foreign: bool = False
    """It is in another folder than the config file."""
    names_config: bool = False
    """It names the config file, which then is trusted no more than ``.env`` itself."""

    def separates(self, source: Source, secret: Source) -> bool:
        """Return whether a setting of one source must not be combined with a secret of another one."""
        elsewhere = secret.secret_file is not None and not self._is_beside(secret.secret_file)
        if (
            self.names_config
            and source.kind in {"dotenv", "file"}
            and (elsewhere or secret.kind not in {"dotenv", "file"})
        ):
            return True
        return self.foreign and source.kind == "dotenv" and (elsewhere or secret.kind != "dotenv")

    def _is_beside(self, file: Path) -> bool:
        """Return whether a file is in the folder of ``.env``; a link there leads elsewhere."""
        return self.dotenv.parent.resolve() in file.resolve().parents


def is_foreign(dotenv: Path, config: Path | None) -> bool:
    """Return whether a ``.env`` file is in another folder than the config file, whose owner has not chosen it."""
    if config is None:
        return True
    # The folder of the file itself counts, not that of a link to it.
    folder = config.resolve().parent
    return folder not in {dotenv.parent.resolve(), dotenv.resolve().parent}


def is_secret_name(name: str) -> bool:
    """Return whether a dotted name is that of a secret, such as ``api_key``."""
    return _SECRET.search(name.lower()) is not None


def bot_problems(values: Mapping[str, Value], trust: Trust) -> Iterator[str]:
    """Yield an error message for each setting that must not go with the token.

    Args:
        values: the settings that apply, by dotted key.
        trust: how far ``.env`` is trusted.
    """
    if TOKEN not in values:
        return
    token = values[TOKEN].source
    refused = (*ADDRESSES, *POWERS) if token.kind == "file" else ADDRESSES
    for key in refused:
        if key in values and trust.separates(values[key].source, token):
            yield _message(values[key].source, TOKEN, token)


def field_problem(plugin_id: str, values: Iterable[PluginValue], trust: Trust) -> str | None:
    """Return an error message if an untrusted source sets an address of a plugin, and another one a key of it.

    Args:
        plugin_id: the plugin.
        values: its settings, in increasing precedence.
        trust: how far ``.env`` is trusted.
    """
    if not (trust.foreign or trust.names_config):
        return None
    fields = {item.field.lower(): item for item in values}
    addresses = [item.source for name, item in fields.items() if _is_address(name, item.value)]
    secrets = [(name, item.source) for name, item in fields.items() if _SECRET.search(name)]
    for address in addresses:
        for name, secret in secrets:
            if trust.separates(address, secret):
                return _message(address, f"plugins.{plugin_id}.{name}", secret)
        if not secrets and any(_MACHINE.search(name) for name in fields) and trust.separates(address, DEFAULT):
            return _message(address, f"the credential of plugins.{plugin_id}", "this machine")
    return None


def _is_address(name: str, value: object) -> bool:
    return bool(_ADDRESS.search(name) or (isinstance(value, str) and _ADDRESS_VALUE.match(value)))


def _message(setting: Source, secret: str, source: Source | str) -> str:
    why = (
        "a .env file of the current folder may be somebody else's"
        if setting.kind == "dotenv"
        else "the .env file of the current folder, which may be somebody else's, names this config file"
    )
    cure = "start tgllm in another folder" if setting.kind == "dotenv" else "name the config file with --config"
    where = spot(setting.path, setting.name)
    return (
        f"{where}: {setting.name} is refused, because {secret} comes from somewhere else ({source}), and {why}; "
        f"set both in one place, or {cure}"
    )
