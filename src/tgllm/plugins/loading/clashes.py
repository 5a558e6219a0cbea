"""Conflicts of names: the first plugin with a name keeps it, and later ones are quarantined.

The built-in plugins come first, then those that were active in the last run, then the others, each by id: a plugin that
has just been installed takes nothing away from one that people use.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from tgllm.plugins.loading.offers import Name
from tgllm.plugins.loading.plugin import LoadedPlugin
from tgllm.plugins.loading.records import Known

__all__ = ["CORE_COMMANDS", "settle_ids", "settle_names"]

CORE_COMMANDS: Final = frozenset(
    {
        "start",
        "stop",
        "cancel",
        "model",
        "models",
        "system",
        "persona",
        "settings",
        "remember",
        "facts",
        "clear",
        "new",
        "history",
        "files",
        "retry",
        "undo",
        "fork",
        "continue",
        "usage",
        "export",
        "groupmode",
        "forget",
        "admin",
    }
)
"""Names of the bot's own chat commands, reserved: no plugin can have them. The commands themselves are in ``bot``."""


def settle_ids(plugins: Iterable[LoadedPlugin], known: Mapping[str, Known]) -> None:
    """Quarantine each plugin with the id of an earlier one; called before any plugin is imported.

    Args:
        plugins: the plugins in order.
        known: the plugins of the last run; of several packages with one id, the one that had it then keeps it.
    """
    first: dict[str, LoadedPlugin] = {}

    def is_other(plugin: LoadedPlugin) -> bool:
        before = known.get(plugin.id)
        return not plugin.found.builtin and before is not None and before.package != plugin.found.package

    for plugin in sorted(plugins, key=lambda plugin: (not plugin.found.builtin, is_other(plugin))):
        keeper = first.setdefault(plugin.id, plugin)
        if keeper is not plugin:
            packages = f"{keeper.found.package} and {plugin.found.package}"
            plugin.stop("quarantined", f"two packages have a plugin {plugin.id}, {packages}: uninstall one of them")


def settle_names(plugins: Iterable[LoadedPlugin], reserved: Mapping[Name, str]) -> None:
    """Quarantine each plugin with a name that an earlier one or the bot itself has.

    Args:
        plugins: the plugins in order.
        reserved: names that no plugin can have, with their owners.
    """
    owners = dict(reserved)
    for plugin in plugins:
        if not plugin.is_active:
            continue
        names = list(plugin.offers.names())
        taken = next((name for name in names if name in owners), None)
        if taken is None:
            owners |= dict.fromkeys(names, f"the plugin {plugin.id}")
        else:
            plugin.stop("quarantined", f"{taken} of the plugin {plugin.id} is taken by {owners[taken]}")
