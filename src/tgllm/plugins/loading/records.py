"""Records of plugins: for display, and in the database for later runs.

The stored records show that a plugin is missing, and which hooks a plugin has that can't be imported.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.types import Json
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv
from tgllm.plugins.loading.plugin import LoadedPlugin, PluginState

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["Known", "PluginRecord", "drop", "known_in", "recall", "record_of", "remember"]

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
    at: str = ""
    """File and line of its code that is to blame; empty for an active plugin, and if unknown."""
    builtin: bool = False
    notes: tuple[str, ...] = ()
    """Problems of an active plugin, one sentence each."""
    left_out: tuple[str, ...] = ()
    """Those of the notes that name an offer which is left out, because another plugin has its name."""

    @property
    def note(self) -> str:
        """The reason, with its place, or the notes as one text; empty for a plugin without problems."""
        place = f" ({self.at})" if self.at else ""
        return f"{self.reason}{place}" if self.reason else "; ".join(self.notes)


@dataclass(frozen=True, slots=True)
class Known:
    """A plugin as known from an earlier run."""

    package: str
    version: str
    api: str
    hooks: tuple[str, ...]
    active: bool = True
    """Whether it was active when the bot started."""
    names: tuple[str, ...] | None = None
    """Names that it had then, such as ``command /ping``; None if they are not stored."""


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
        at=plugin.at,
        hooks=plugin.hooks,
        builtin=plugin.found.builtin,
        notes=(*plugin.notes, *plugin.left_out) if plugin.is_active else (),
        left_out=plugin.left_out if plugin.is_active else (),
    )


async def recall(database: "Database | None") -> dict[str, Known]:
    """Return the plugins of earlier runs by id; none without a database."""
    if database is None:
        return {}
    return await database.read(known_in)


def known_in(conn: Connection) -> dict[str, Known]:
    """Return the plugins of earlier runs by id."""
    return {key: _known(cast("Mapping[str, object]", value)) for key, value in kv.items(conn, _SCOPE).items()}


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
    taken = {name for known in seen.values() if known.active for name in known.names or ()}
    seen |= {key: _without(known, taken) for key, known in before.items() if key not in seen}
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


async def drop(database: "Database", plugin_ids: Collection[str]) -> None:
    """Forget plugins that were uninstalled on purpose."""
    await database.write(lambda conn: [kv.delete(conn, _SCOPE, plugin_id) for plugin_id in plugin_ids])


def _seen(plugin: LoadedPlugin) -> Known:
    names = tuple(map(str, plugin.offers.names())) if plugin.is_active else ()
    return Known(plugin.found.package, plugin.found.version, plugin.api, plugin.hooks, plugin.is_active, names)


def _without(known: Known, taken: Collection[str]) -> Known:
    """Return a plugin that is not there in this run without the names that others have now."""
    return known if known.names is None else replace(known, names=tuple(n for n in known.names if n not in taken))


def _json(known: Known) -> dict[str, Json]:
    return {
        "package": known.package,
        "version": known.version,
        "api": known.api,
        "hooks": known.hooks,
        "active": known.active,
        "names": known.names,
    }


def _known(value: Mapping[str, object]) -> Known:
    texts = (str(value.get(key, "")) for key in ("package", "version", "api"))
    hooks = cast("Iterable[object]", value.get("hooks", ()))
    # An earlier version stored only what was active, or had been.
    names = cast("Iterable[object] | None", value.get("names"))
    return Known(
        *texts,
        hooks=tuple(str(hook) for hook in hooks),
        active=value.get("active") is not False,
        names=None if names is None else tuple(map(str, names)),
    )
