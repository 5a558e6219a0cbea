"""Conflicts of names: the first plugin with a name keeps it, and of later ones what has that name is left out.

The built-in plugins come first, then the one that had the name in the last run, then those that were active then, then
the others, each by id: a plugin that has just been installed takes nothing away from one that people use.
"""

from collections.abc import Iterable, Mapping, Sequence
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
        "tools",
        "remember",
        "remind",
        "memory",
        "facts",
        "search",
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
        "approvals",
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


def settle_names(plugins: Sequence[LoadedPlugin], reserved: Mapping[Name, str], known: Mapping[str, Known]) -> None:
    """Leave out what has a name that an earlier plugin or the bot itself has, with a note for each.

    Args:
        plugins: the plugins in order.
        reserved: names that no plugin can have, with their owners.
        known: the plugins of the last run, with the names that they had.
    """
    active = [plugin for plugin in plugins if plugin.is_active]
    owners = dict(reserved)
    for plugin in (each for each in active if each.found.builtin):
        owners |= dict.fromkeys(plugin.offers.names(), f"the plugin {plugin.id}")
    for plugin in active:
        for name in _kept(plugin, known):
            owners.setdefault(name, f"the plugin {plugin.id}")
    for plugin in active:
        own = f"the plugin {plugin.id}"
        taken = [name for name in plugin.offers.names() if owners.get(name, own) != own]
        if taken:
            plugin.offers = plugin.offers.without(taken)
            notes = (
                f"{name} of the plugin {plugin.id} is taken by {owners[name]}, so it is left out" for name in taken
            )
            plugin.left_out = tuple(notes)
        # Aliases of what is left out are free for others.
        owners.update(dict.fromkeys(plugin.offers.names(), own))


def _kept(plugin: LoadedPlugin, known: Mapping[str, Known]) -> Iterable[Name]:
    """Return the names of a plugin that it had in the last run."""
    before = known.get(plugin.id)
    if before is None or not before.active or before.package != plugin.found.package:
        return ()
    return (name for name in plugin.offers.names() if before.names is None or str(name) in before.names)
