"""Names are unique: the first plugin that gives a name keeps it, and the next one is quarantined.

Built-in plugins come first, then the others in order of their ids, so that the outcome never depends on chance.
"""

from collections.abc import Iterable, Mapping

from tgllm.plugins.loading.offers import Name
from tgllm.plugins.loading.plugin import LoadedPlugin

__all__ = ["settle_ids", "settle_names"]


def settle_ids(plugins: Iterable[LoadedPlugin]) -> None:
    """Quarantine each plugin whose id an earlier one has. Nothing has been imported yet."""
    first: dict[str, LoadedPlugin] = {}
    for plugin in plugins:
        keeper = first.setdefault(plugin.id, plugin)
        if keeper is not plugin:
            packages = f"{keeper.found.package} and {plugin.found.package}"
            plugin.stop("quarantined", f"two packages have a plugin {plugin.id}, {packages}: uninstall one of them")


def settle_names(plugins: Iterable[LoadedPlugin], reserved: Mapping[Name, str]) -> None:
    """Quarantine each plugin that gives a name which an earlier one, or the bot itself, has.

    Args:
        plugins: in order.
        reserved: names that no plugin can have, and whose they are.
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
