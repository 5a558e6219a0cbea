"""Records of plugins: for display, and in the database for later runs.

The stored records show that a plugin is missing, and which hooks a plugin has that can't be imported.
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
    """Version of the package; from the last run if the plugin is missing."""
    api: str
    """Version of the plugin API that it requires; empty if unknown."""
    state: PluginState
    provides: tuple[str, ...]
    """Offers such as ``provider echo`` and ``command /ping``; empty unless the plugin is active."""
    reason: str
    """Why it is not active and what to do, as one sentence; empty for an active plugin."""
    hooks: tuple[str, ...]
    builtin: bool = False
    notes: tuple[str, ...] = ()
    """Problems of an active plugin, one sentence each."""

    @property
    def note(self) -> str:
        """The reason or the notes as one text; empty for a plugin without problems."""
        return self.reason or "; ".join(self.notes)


@dataclass(frozen=True, slots=True)
class Known:
    """A plugin as known from an earlier run."""

    package: str
    version: str
    api: str
    hooks: tuple[str, ...]
    active: bool = True
    """Whether it was active when the bot started."""


def record_of(plugin: LoadedPlugin) -> PluginRecord:
    """Return the record of a plugin in its current state."""
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
    """Return the plugins of earlier runs by id; none without a database."""
    if database is None:
        return {}
    items = await database.read(lambda conn: kv.items(conn, _SCOPE))
    return {key: _known(cast("Mapping[str, object]", value)) for key, value in items.items()}


async def remember(
    database: "Database", plugins: Collection[LoadedPlugin], disabled: Collection[str], clock: Clock
) -> None:
    """Store the plugins of this run. A missing plugin stays known until it is disabled by name.

    If two packages have the same id, the stored record of that id is left unchanged.
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
    return Known(plugin.found.package, plugin.found.version, plugin.api, plugin.hooks, plugin.is_active)


def _json(known: Known) -> dict[str, Json]:
    return {
        "package": known.package,
        "version": known.version,
        "api": known.api,
        "hooks": known.hooks,
        "active": known.active,
    }


def _known(value: Mapping[str, object]) -> Known:
    texts = (str(value.get(key, "")) for key in ("package", "version", "api"))
    hooks = cast("Iterable[object]", value.get("hooks", ()))
    # An earlier version stored only what was active, or had been.
    return Known(*texts, hooks=tuple(str(hook) for hook in hooks), active=value.get("active") is not False)
