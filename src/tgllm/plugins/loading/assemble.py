"""Assembly of the plugins of a run: disabled ones, loading, conflicts of names, missing ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tgllm.api.context import PluginInfo
from tgllm.observe.installation import install_command
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.loading.breadcrumbs import Death
from tgllm.plugins.loading.clashes import settle_ids, settle_names
from tgllm.plugins.loading.loader import Loader
from tgllm.plugins.loading.offers import Name
from tgllm.plugins.loading.plugin import LoadedPlugin
from tgllm.plugins.loading.records import Known

__all__ = ["PluginChoice", "assemble", "describe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginChoice:
    """Which of the installed plugins are loaded."""

    builtin: bool = True
    """Whether the built-in plugins are."""
    others: bool = True
    """Whether all others are; False: ``--no-plugins``."""
    disabled: Collection[str] = frozenset()
    """Ids that the operator has disabled by name."""


async def describe(found: Iterable[FoundPlugin], loader: Loader, choice: PluginChoice) -> Mapping[str, PluginInfo]:
    """Return the descriptions of plugins by id; plugins that can't be imported are omitted.

    Args:
        found: the installed plugins.
        loader: imports one plugin.
        choice: which plugins are imported.
    """
    plugins = [LoadedPlugin(one) for one in sorted(found, key=_order)]
    _leave_out(plugins, choice)
    settle_ids((plugin for plugin in plugins if plugin.is_active), {})
    infos: dict[str, PluginInfo] = {}
    for plugin in plugins:
        if plugin.is_active:
            with suppress(Breach):
                infos[plugin.id] = await loader.read(plugin)
    return infos


async def assemble(
    found: Iterable[FoundPlugin],
    loader: Loader,
    *,
    known: Mapping[str, Known],
    choice: PluginChoice,
    reserved_commands: Collection[str],
) -> Sequence[LoadedPlugin]:
    """Load all plugins and return them in order: the built-in ones first, then by id.

    Args:
        found: the installed plugins.
        loader: loads one plugin.
        known: the plugins known from earlier runs, by id.
        choice: which plugins are loaded.
        reserved_commands: names of the bot's own commands.
    """
    plugins = [LoadedPlugin(one) for one in sorted(found, key=_order)]
    _leave_out(plugins, choice)
    settle_ids((plugin for plugin in plugins if plugin.is_active), known)
    _leave_out_deadly(plugins, await loader.deaths())
    for plugin in plugins:
        if plugin.is_active:
            await loader.load(plugin)
    reserved = {Name("command", name): "the bot itself" for name in reserved_commands}
    settle_names(_oldest_first(plugins, known), reserved, known)
    plugins += _missing(plugins, known, choice.disabled)
    keepers = {plugin.id: plugin for plugin in plugins if plugin.is_active}
    for plugin in plugins:
        _complete(plugin, known.get(plugin.id), keepers.get(plugin.id))
    return sorted(plugins, key=lambda plugin: _order(plugin.found))


def _order(found: FoundPlugin) -> tuple[bool, str, str]:
    return (not found.builtin, found.id, found.package)


def _leave_out(plugins: Iterable[LoadedPlugin], choice: PluginChoice) -> None:
    for plugin in plugins:
        if plugin.id in choice.disabled:
            plugin.stop("disabled", "it is disabled by name (TGLLM_DISABLE_PLUGINS)")
        elif not choice.others and not plugin.found.builtin:
            plugin.stop("disabled", "only built-in plugins are loaded (--no-plugins)")


def _leave_out_deadly(plugins: Iterable[LoadedPlugin], deaths: Mapping[str, Death]) -> None:
    for plugin in plugins:
        death = deaths.get(plugin.id)
        if plugin.is_active and death is not None and death.is_left_out and death.is_of(plugin.found):
            plugin.stop("quarantined", death.reason)


def _oldest_first(plugins: Iterable[LoadedPlugin], known: Mapping[str, Known]) -> list[LoadedPlugin]:
    """Return the built-in plugins, then those that were active in the last run, then the others."""

    def is_new(plugin: LoadedPlugin) -> bool:
        before = known.get(plugin.id)
        return not plugin.found.builtin and (before is None or not before.active)

    return sorted(plugins, key=lambda plugin: (not plugin.found.builtin, is_new(plugin)))


def _missing(
    plugins: Iterable[LoadedPlugin], known: Mapping[str, Known], disabled: Collection[str]
) -> list[LoadedPlugin]:
    gone = known.keys() - {plugin.id for plugin in plugins} - set(disabled)
    return [_missing_plugin(plugin_id, known[plugin_id]) for plugin_id in gone]


def _missing_plugin(plugin_id: str, known: Known) -> LoadedPlugin:
    plugin = LoadedPlugin(FoundPlugin(plugin_id, known.package, known.version, value=""))
    plugin.stop(
        "missing",
        f"it was there on the last run and is gone: run {install_command(known.package)}, "
        f"or name it in TGLLM_DISABLE_PLUGINS once to forget it",
    )
    return plugin


def _complete(plugin: LoadedPlugin, known: Known | None, keeper: LoadedPlugin | None) -> None:
    # If the hooks of a plugin can't be read, those of the last run count: a broken authorizer must still deny access.
    # If another package now has the same id, this applies only to the package that had it then.
    if known is not None and not plugin.implementations and (keeper is None or known.package == plugin.found.package):
        plugin.hooks = known.hooks
        plugin.api = plugin.api or known.api
