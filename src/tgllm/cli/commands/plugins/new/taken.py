"""Names that a new plugin can't have, because something here has them."""

from importlib.util import find_spec
from pathlib import Path

from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError
from tgllm.cli.commands.plugins.new.names import PluginName
from tgllm.i18n import Catalogue
from tgllm.observe.installation import clone_folder
from tgllm.observe.logs import get_logger
from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.discovery import discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices

__all__ = ["check_free"]


async def check_free(name: PluginName, folder: Path, *, is_command: bool) -> None:
    """Refuse a name that is in use.

    Args:
        name: the names of the plugin.
        folder: a folder in which the built-in plugins may store something.
        is_command: whether the plugin has a chat command of its name.

    Raises:
        PluginError: the message names what has it.
    """
    owner = _owner(name)
    if owner is None and is_command and name.id in await _commands(folder):
        owner = f"/{name.id}, a command of the bot itself"
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
    services = HostServices(None, folder, SystemClock(), Catalogue(), get_logger)
    async with await PluginHost.load((), services) as host:
        own = {name for owned in host.commands for name in (owned.command.name, *owned.command.aliases)}
    return own | CORE_COMMANDS
