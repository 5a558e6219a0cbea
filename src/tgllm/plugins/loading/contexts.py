"""Creation of a plugin's context."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock
from tgllm.api.context import Log, PluginContext, Texts
from tgllm.i18n import BroughtTexts, Catalogue, PluginTexts
from tgllm.plugins.loading.people import FindPerson, PluginPeople
from tgllm.plugins.loading.planner import PluginJobs
from tgllm.plugins.loading.store import PluginStore

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["HostServices", "Logs", "make_context"]

Logs = Callable[[str], Log]
"""Creates a logger for the name of a part of the program."""


@dataclass(frozen=True, slots=True)
class HostServices:
    """Dependencies of plugins that the host passes on."""

    database: "Database | None"
    data_dir: Path
    """The bot's data folder; each plugin has a folder under ``plugins/`` there."""
    clock: Clock
    texts: Texts
    logs: Logs
    language: str = "en"
    """Default language, for users whose language is unknown."""
    time_zone: tzinfo = UTC
    """Time zone of the bot."""
    find_person: FindPerson | None = None
    """Reads a person; None where there are no people, as in the check of a plugin."""


def make_context(
    plugin_id: str,
    settings: object,
    services: HostServices,
    texts: BroughtTexts | None = None,
    *,
    has_job_hook: bool = True,
) -> PluginContext:
    """Create the context of a plugin, and its data folder. Blocks: it writes to disk.

    Args:
        plugin_id: the plugin.
        settings: its validated settings.
        services: the dependencies from the host.
        texts: its own texts; None if it has none.
        has_job_hook: whether it implements ``tgllm_job``.
    """
    log = services.logs(f"plugin.{plugin_id}")
    folder = services.data_dir / "plugins" / plugin_id
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        # Not fatal: listing plugins must work on a read-only disk, and a plugin that needs the folder fails later.
        log.warning("plugin.data_folder_failed", folder=str(folder), error=str(error))
    return PluginContext(
        plugin_id=plugin_id,
        settings=settings,
        log=log,
        data_dir=folder,
        store=PluginStore(plugin_id, services.database, services.clock),
        clock=services.clock,
        texts=services.texts if texts is None else _with_own(plugin_id, texts, services),
        jobs=PluginJobs(plugin_id, services.database, services.clock, has_hook=has_job_hook),
        people=PluginPeople(services.database, services.clock, services.time_zone, services.find_person),
        timezone=services.time_zone,
    )


def _with_own(plugin_id: str, texts: BroughtTexts, services: HostServices) -> Texts:
    own = PluginTexts(plugin_id, texts, services.texts, services.language)
    if isinstance(services.texts, Catalogue):
        services.texts.bring(plugin_id, own)
    return own
