"""Names that a new plugin can't have, because something here has them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError
from tgllm.api.files import Extracted, ExtractionLimits, FileHandler
from tgllm.cli.commands.plugins.new.names import PluginName
from tgllm.i18n import Catalogue
from tgllm.observe.installation import clone_folder
from tgllm.observe.logs import get_logger
from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.discovery import discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices
from tgllm.plugins.owned import OwnedFileHandler

__all__ = ["check_free"]

_WITH_COMMAND: Final = frozenset({"command", "job"})
"""Kinds that have a chat command of the plugin's name."""


async def check_free(name: PluginName, folder: Path, *, kind: str) -> None:
    """Refuse a name that is in use.

    Args:
        name: the names of the plugin.
        folder: a folder for files of the check.
        kind: one of ``KINDS``.

    Raises:
        PluginError: the message names what has it.
    """
    owner = _owner(name)
    if owner is None and kind in _WITH_COMMAND and name.id in await _commands(folder):
        owner = f"/{name.id}, a command of the bot itself"
    if owner is None and kind == "file-handler" and await _is_read(name, folder):
        owner = f"the bot itself, for files with the ending .{name.ending}"
    if owner is not None:
        raise PluginError(f"The name {name.id} is taken by {owner}. Try another.")


def _owner(name: PluginName) -> str | None:
    installed = {found.id: found.package for found in discover()}
    clone = clone_folder()
    if name.id in {found.id for found in BUILTIN}:
        return "a plugin that is part of tgllm"
    if name.id in installed:
        return f"the plugin of the installed package {installed[name.id]}"
    if clone is not None and (clone / "plugins" / name.module).is_dir():
        return f"{name.package}, a package of tgllm's own repository"
    if find_spec(name.module) is not None:
        return f"the module {name.module} of an installed package"
    return None


async def _commands(folder: Path) -> set[str]:
    """Return the names of the bot's own chat commands, and of those of its built-in plugins."""
    async with await PluginHost.load((), _services(folder)) as host:
        own = {name for owned in host.commands for name in (owned.command.name, *owned.command.aliases)}
    return own | CORE_COMMANDS


async def _is_read(name: PluginName, folder: Path) -> bool:
    """Return whether the bot's own handlers take a text file with the ending of the plugin, or have its id."""
    from tgllm.services.files.handlers import matching  # noqa: PLC0415  only for this kind
    from tgllm.services.files.types import true_type  # noqa: PLC0415  only for this kind

    file = folder / f"sample.{name.ending}"
    file.write_text(f"{name.ending} 1\nname = value\n", encoding="utf-8")
    new = FileHandler(name.id, frozenset({f"text/x-{name.ending}"}), _read_nothing, suffixes=frozenset({file.suffix}))
    async with await PluginHost.load((), _services(folder)) as host:
        own = host.file_handlers
        mine = OwnedFileHandler(new, name.id, own[0].context)
        found = matching([*own, mine], true_type(file, None, file.name), file.name)
        return found[:1] != [mine] or name.id in {owned.handler.id for owned in own}


def _read_nothing(_path: Path, _limits: ExtractionLimits) -> Extracted:
    return Extracted("")


def _services(folder: Path) -> HostServices:
    return HostServices(None, folder, SystemClock(), Catalogue(), get_logger)
