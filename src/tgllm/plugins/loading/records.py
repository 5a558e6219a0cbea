"""What is known of each plugin: for people to read, and kept in the database from run to run.

What is kept tells two things that can't be seen otherwise: that a plugin is gone, and which hooks a plugin that can't
be imported would have.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.types import Json
from tgllm.db.tables import kv
from tgllm.plugins.loading.plugin import LoadedPlugin, PluginState

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["Known", "PluginRecord", "recall", "record_of", "remember"]

_SCOPE = "plugins"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin as ``tgllm plugins list`` shows it."""

    id: str
    package: str
    version: str
    """Of the package; of the last run where the plugin is missing."""
    api: str
    """The version of the contract that it was written for; empty where it is not known."""
    state: PluginState
    provides: tuple[str, ...]
    """Such as ``provider echo`` and ``command /ping``; empty unless the plugin is active."""
    reason: str
    """Why it is not active and what to do, in one sentence; empty for an active one."""
    hooks: tuple[str, ...]
    builtin: bool = False
    notes: tuple[str, ...] = ()
    """What is wrong with it although it is active, in sentences."""

    @property
    def note(self) -> str:
        """All that people should know of its state; empty where it is in order."""
        return self.reason or "; ".join(self.notes)


@dataclass(frozen=True, slots=True)
class Known:
    """What the last run knew of a plugin."""

    package: str
    version: str
    api: str
    hooks: tuple[str, ...]


def record_of(plugin: LoadedPlugin) -> PluginRecord:
    """The record of a plugin as it stands now."""
    return PluginRecord(
        id=plugin.id,
        package=plugin.found.package,
        version=plugin.found.version,
        api=plugin.api,
        state=plugin.state,
        provides=plugin.offers.provides() if plugin.is_active else (),
        reason=plugin.reason,
        hooks=plugin.hooks,
        builtin=plugin.found.builtin,
        notes=plugin.notes if plugin.is_active else (),
    )


async def recall(database: "Database | None") -> dict[str, Known]:
    """The plugins of the last run by id; none without a database."""
    if database is None:
        return {}
    items = await database.read(lambda conn: kv.items(conn, _SCOPE))
    return {key: _known(cast("Mapping[str, object]", value)) for key, value in items.items()}


async def remember(
    database: "Database", plugins: Collection[LoadedPlugin], disabled: Collection[str], clock: Clock
) -> None:
    """Keep what this run knows. A plugin that is gone stays known until it is disabled by name.

    So does the one that had an id before another package came with the same.
    """
    before = await recall(database)
    times = Counter(plugin.id for plugin in plugins)
    sure = [plugin for plugin in plugins if times[plugin.id] == 1 and not plugin.found.builtin]
    seen = {plugin.id: _seen(plugin) for plugin in sure if plugin.implementations}
    installed = {plugin.id for plugin in plugins if plugin.state != "missing"}
    changed = {plugin_id: known for plugin_id, known in seen.items() if before.get(plugin_id) != known}
    gone = {plugin_id for plugin_id in before if plugin_id in disabled and plugin_id not in installed}
    if changed or gone:
        now = milliseconds(clock)
        await database.write(
            lambda conn: [
                *(kv.set_value(conn, _SCOPE, plugin_id, _json(known), now) for plugin_id, known in changed.items()),
                *(kv.delete(conn, _SCOPE, plugin_id) for plugin_id in gone),
            ]
        )


def _seen(plugin: LoadedPlugin) -> Known:
    return Known(plugin.found.package, plugin.found.version, plugin.api, plugin.hooks)


def _json(known: Known) -> dict[str, Json]:
    return {"package": known.package, "version": known.version, "api": known.api, "hooks": known.hooks}


def _known(value: Mapping[str, object]) -> Known:
    texts = (str(value.get(key, "")) for key in ("package", "version", "api"))
    hooks = cast("Iterable[object]", value.get("hooks", ()))
    return Known(*texts, hooks=tuple(str(hook) for hook in hooks))
