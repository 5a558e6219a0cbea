"""Creation of a plugin's context."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.api.chats import ChatRef, Chats, NoChats, SentMessage
from tgllm.api.clock import Clock
from tgllm.api.context import Log, PluginContext, Texts
from tgllm.i18n import BroughtTexts, Catalogue, PluginTexts
from tgllm.plugins.loading.live_tools import LiveTools, PluginTools
from tgllm.plugins.loading.people import FindPerson, PluginPeople
from tgllm.plugins.loading.planner import PluginJobs
from tgllm.plugins.loading.store import PluginStore

if TYPE_CHECKING:
    from tgllm.api.commands import Reply
    from tgllm.api.people import UserInfo
    from tgllm.db.database import Database

__all__ = ["ChatsOf", "HostServices", "LateChats", "Logs", "make_context"]

Logs = Callable[[str], Log]
"""Creates a logger for the name of a part of the program."""


ChatsOf = Callable[[str], Chats]
"""Returns the sender of messages for the id of a plugin."""


class LateChats:
    """Senders of the plugins' messages; without a bot, all messages are refused."""

    def __init__(self) -> None:
        self.of: ChatsOf = lambda _plugin: NoChats()


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
    chats: LateChats = field(default_factory=LateChats)
    """Set by a bot, after the plugins are loaded."""
    tools: LiveTools = field(default_factory=LiveTools)
    """Tools that plugins add while they run."""


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
        chats=_PluginChats(plugin_id, services.chats),
        jobs=PluginJobs(plugin_id, services.database, services.clock, has_hook=has_job_hook),
        people=PluginPeople(services.database, services.clock, services.time_zone, services.find_person),
        timezone=services.time_zone,
        tools=PluginTools(plugin_id, services.tools),
    )


class _PluginChats:
    """Sender of one plugin's messages, whose context is made before the bot."""

    def __init__(self, plugin_id: str, chats: LateChats) -> None:
        self._plugin_id = plugin_id
        self._chats = chats

    async def send(
        self,
        chat: ChatRef,
        reply: "Reply | str",
        *,
        key: str | None = None,
        recipient: "UserInfo | int | None" = None,
    ) -> SentMessage:
        """Send a message; see ``Chats.send``."""
        return await self._now.send(chat, reply, key=key, recipient=recipient)

    async def edit(self, message: SentMessage | int, reply: "Reply | str") -> bool:
        """Edit a message; see ``Chats.edit``."""
        return await self._now.edit(message, reply)

    async def delete(self, message: SentMessage | int) -> bool:
        """Delete a message; see ``Chats.delete``."""
        return await self._now.delete(message)

    @property
    def _now(self) -> Chats:
        return self._chats.of(self._plugin_id)


def _with_own(plugin_id: str, texts: BroughtTexts, services: HostServices) -> Texts:
    own = PluginTexts(plugin_id, texts, services.texts, services.language)
    if isinstance(services.texts, Catalogue):
        services.texts.bring(plugin_id, own)
    return own
