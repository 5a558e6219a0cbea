"""Which settings a ``.env`` file may combine with secrets of other sources.

``.env`` is read from the current folder, which may be anyone's: a downloaded project, a shared folder. An address in it
together with a token or key from elsewhere would send that secret to the address.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from tgllm.config.sources.keys import variable
from tgllm.config.sources.layers import Layer, Table
from tgllm.config.sources.source import Source, Value

__all__ = ["bot_problems", "field_problem", "is_foreign"]

TOKEN: Final = "bot_token"  # noqa: S105  a key of the settings
ADDRESSES: Final = ("telegram_api",)
"""Settings that say where the token is sent."""
POWERS: Final = ("admin_chat_id", "admin_ids", "admin.password_hash", "data_dir", "disable_plugins")
"""Settings that say who controls the bot, who may use it and where its data is. Refused with a config file's token."""

_ADDRESS = re.compile(r"(?:^|[._])(?:url|uri|host|hostname|server|endpoint|address|proxy|dsn|domain|port)s?$")
_SECRET = re.compile(r"(?:^|[._])(?:key|token|secret|password|credential)s?(?:$|[._])")


def is_foreign(dotenv: Path, config: Path | None) -> bool:
    """Return whether a ``.env`` file is in another folder than the config file, whose owner has not chosen it."""
    if config is None:
        return True
    # The folder of the file itself counts, not that of a link to it.
    folder = config.resolve().parent
    return folder not in {dotenv.parent.resolve(), dotenv.resolve().parent}


def bot_problems(values: Mapping[str, Value], dotenv: Path) -> Iterator[str]:
    """Yield an error message for each setting of a foreign ``.env`` that must not go with the token.

    Args:
        values: the settings that apply, by dotted key.
        dotenv: the foreign ``.env`` file.
    """
    if TOKEN not in values or values[TOKEN].source.kind == "dotenv":
        return
    token = values[TOKEN].source
    refused = (*ADDRESSES, *POWERS) if token.kind == "file" else ADDRESSES
    for key in refused:
        if key in values and values[key].source.kind == "dotenv":
            yield _message(dotenv, variable(key), TOKEN, token)


def field_problem(
    plugin_id: str, layers: Sequence[Layer], env_names: Mapping[str, str], *, foreign: bool
) -> str | None:
    """Return an error message if a foreign ``.env`` sets an address of a plugin, and another source a key of it."""
    dotenv = next((layer for layer in layers if layer.kind == "dotenv"), None)
    if dotenv is None or not foreign:
        return None
    sources = dict(_fields(plugin_id, layers, env_names))
    addresses = [name for name, source in sources.items() if source.kind == "dotenv" and _ADDRESS.search(name)]
    secrets = [name for name, source in sources.items() if source.kind != "dotenv" and _SECRET.search(name)]
    if not addresses or not secrets:
        return None
    return _message(
        Path(dotenv.path), sources[addresses[0]].name, f"plugins.{plugin_id}.{secrets[0]}", sources[secrets[0]]
    )


def _fields(plugin_id: str, layers: Sequence[Layer], env_names: Mapping[str, str]) -> Iterator[tuple[str, Source]]:
    """Yield the dotted fields of a plugin with their sources, in increasing precedence."""
    for layer in layers:
        for field, name in env_names.items():
            if layer.variables.get(name, "").strip():
                yield field.lower(), Source(layer.kind, name, layer.path)
        for field in _dotted(layer.plugins.get(plugin_id, {})):
            name = f"plugins.{plugin_id}.{field}"
            yield field.lower(), Source(layer.kind, name if layer.kind == "file" else variable(name), layer.path)


def _dotted(table: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(cast("Table", value), f"{prefix}{name}.")
        else:
            yield prefix + name


def _message(dotenv: Path, name: str, secret: str, source: Source) -> str:
    return (
        f"{dotenv}: {name} is refused, because {secret} comes from somewhere else ({source}), and a .env file of the "
        "current folder may be somebody else's; set both in one place, or start tgllm in another folder"
    )
