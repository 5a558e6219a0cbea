"""Plugin host: loads plugins, isolates their failures, and is the bot's only access to them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Self

from tgllm.api.buttons import Press
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm.api.errors import ConfigError, TgllmError
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.tools import ToolSpec
from tgllm.api.turn import Decision, TurnInfo, TurnResult
from tgllm.api.types import ChatRequest
from tgllm.plugins import lifecycle
from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.calls.call_watch import CallWatch
from tgllm.plugins.calls.output import stdout_kept
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.calls.thread import HookThread
from tgllm.plugins.calls.time_limits import HostLimits
from tgllm.plugins.calls.tracing import TraceWriter
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.loading import records
from tgllm.plugins.loading.assemble import PluginChoice, assemble, describe
from tgllm.plugins.loading.contexts import ChatsOf, HostServices
from tgllm.plugins.loading.live_tools import PluginTools
from tgllm.plugins.loading.loader import Loader
from tgllm.plugins.loading.records import PluginRecord
from tgllm.plugins.loading.registration import nearest
from tgllm.plugins.loading.settings import NO_SETTINGS, PluginSettingsSource
from tgllm.plugins.owned import OwnedCommand, OwnedFileHandler, OwnedJob, OwnedProvider, OwnedTool, OwnedTranscriber
from tgllm.plugins.roster import Bound, OnFailure, OnQuarantine, Roster
from tgllm.plugins.turns import TurnHooks

if TYPE_CHECKING:
    from tgllm.plugins.holds.log import HoldLog
    from tgllm.plugins.holds.owners import Owners

__all__ = ["PluginHost"]

_ALL = PluginChoice()
_LIMITS = HostLimits()


class PluginHost:
    """Host of the plugins of one run. Created by ``load``; closed by ``aclose``, or as an async context manager.

    A plugin that fails is quarantined: everything it provides is removed from the properties below, and its hooks are
    no longer called. So read ``providers`` and the others each time they are needed; ``revision`` shows whether they
    have changed.
    """

    def __init__(
        self, roster: Roster, runner: HookRunner, services: HostServices, limits: HostLimits, watch: CallWatch
    ) -> None:
        """Create a host from its parts; call ``load`` instead."""
        self.watch = watch
        """Notes the calls of plugins, also those that are made outside of the host."""
        self._roster = roster
        self._runner = runner
        self._services = services
        self._limits = limits
        self._turns = TurnHooks(roster, services.texts)
        self._log = services.logs("plugins")
        services.tools.taken = lambda: (
            (tool.name, plugin.id) for plugin in roster.plugins for _, tool in plugin.offers.tools
        )

    @staticmethod
    async def describe(
        found: Iterable[FoundPlugin],
        services: HostServices,
        *,
        choice: PluginChoice = _ALL,
        limits: HostLimits = _LIMITS,
    ) -> Mapping[str, PluginInfo]:
        """Return the descriptions of plugins by id, without loading their settings or anything that they offer.

        Args:
            found: the installed plugins, from ``discover``.
            services: as for ``load``; nothing is stored.
            choice: which plugins to import; all by default.
            limits: time limits for plugin code.
        """
        thread = HookThread()
        try:
            with stdout_kept():
                return await describe(
                    [*(BUILTIN if choice.builtin else ()), *found],
                    Loader(thread, limits, NO_SETTINGS, services, _watch(services)),
                    choice,
                )
        finally:
            thread.close()

    @classmethod
    async def load(
        cls,
        found: Iterable[FoundPlugin],
        services: HostServices,
        *,
        settings: PluginSettingsSource = NO_SETTINGS,
        choice: PluginChoice = _ALL,
        reserved_commands: Collection[str] = frozenset(),
        limits: HostLimits = _LIMITS,
    ) -> Self:
        """Load plugins. The failure of a plugin is stored in its record and not raised.

        Args:
            found: the installed plugins, from ``discover``.
            services: what plugins get from the bot.
            settings: the operator's settings for plugins.
            choice: which plugins to load; all by default.
            reserved_commands: names of the bot's own chat commands, without the slash.
            limits: time limits for plugin code.
        """
        known = await records.recall(services.database)
        thread = HookThread()
        watch = _watch(services)
        loader = Loader(thread, limits, settings, services, watch)
        try:
            with stdout_kept():
                plugins = await assemble(
                    [*(BUILTIN if choice.builtin else ()), *found],
                    loader,
                    known=known,
                    choice=choice,
                    reserved_commands=reserved_commands,
                )
        finally:
            await loader.close()
            thread.close()
        storage = None if services.database is None else services.database.gate
        runner = HookRunner(limits.async_seconds, limits.grace_seconds, strict=True, storage=storage)
        roster = Roster(plugins, choice.disabled, runner, services.logs("plugins"), watch)
        return cls(roster, runner, services, limits, watch)

    @cached_property
    def owners(self) -> "Owners":
        """Attribution of code that blocks the event loop to plugins."""
        from tgllm.plugins.holds.owners import Owners  # noqa: PLC0415  only a running bot needs it

        return Owners(plugin.found for plugin in self._roster.plugins)

    @cached_property
    def holds(self) -> "HoldLog":
        """Blocks of the event loop in this run."""
        from tgllm.plugins.holds.log import HoldLog  # noqa: PLC0415  only a running bot needs it

        return HoldLog()

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """All plugins, installed or missing: the built-in ones first, then by id."""
        return tuple(records.record_of(plugin) for plugin in self._roster.plugins)

    @property
    def config_errors(self) -> tuple[ConfigError, ...]:
        """Errors in the operator's settings for plugins; ``tgllm run`` refuses to start if there are any."""
        return tuple(ConfigError(plugin.reason) for plugin in self._roster.plugins if plugin.state == "misconfigured")

    @property
    def revision(self) -> int:
        """Number that increases each time a plugin is quarantined."""
        return self._roster.revision

    @property
    def providers(self) -> tuple[OwnedProvider, ...]:
        """Providers of active plugins, in order."""
        return self._roster.offered(lambda offers: offers.providers, OwnedProvider)

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of active plugins by id, without the built-in ones."""
        return self._roster.titles

    @property
    def descriptions(self) -> Mapping[str, PluginInfo]:
        """Descriptions of plugins by id, also of those whose settings are wrong or missing."""
        usable = (plugin for plugin in self._roster.plugins if plugin.state in {"active", "misconfigured"})
        return {plugin.id: plugin.info for plugin in usable if plugin.info is not None}

    @property
    def commands(self) -> tuple[OwnedCommand, ...]:
        """Chat commands of active plugins, in order."""
        return self._roster.offered(lambda offers: offers.commands, OwnedCommand)

    @property
    def file_handlers(self) -> tuple[OwnedFileHandler, ...]:
        """File handlers of active plugins, in order: a file goes to the first one that accepts its type."""
        return self._roster.offered(lambda offers: offers.file_handlers, OwnedFileHandler)

    @property
    def transcribers(self) -> tuple[OwnedTranscriber, ...]:
        """Transcribers of active plugins, in order: a recording goes to the first one that accepts its type."""
        return self._roster.offered(lambda offers: offers.transcribers, OwnedTranscriber)

    @property
    def jobs(self) -> tuple[OwnedJob, ...]:
        """Jobs of active plugins, in order."""
        return self._roster.offered(lambda offers: offers.jobs, OwnedJob)

    @property
    def tools(self) -> tuple[OwnedTool, ...]:
        """Tools of active plugins, in order: those of ``tgllm_tools``, then those that plugins have added since."""
        offered = self._roster.offered(lambda offers: offers.tools, OwnedTool)
        live = (
            OwnedTool(tool, plugin.id, plugin.context)
            for plugin in self._roster.plugins
            if plugin.is_active and plugin.context is not None
            for tool in self._services.tools.of(plugin.id)
        )
        return (*offered, *live)

    @property
    def tools_revision(self) -> tuple[int, int]:
        """Value that changes whenever ``tools`` does."""
        return self._roster.revision, self._services.tools.revision

    def provide_tools(self, plugin_id: str, tools: Sequence[ToolSpec]) -> Sequence[str]:
        """Give a built-in plugin tools that are made of the program's services; return why some are left out."""
        return PluginTools(plugin_id, self._services.tools).replace(tools)

    def connect(self, chats_of: ChatsOf) -> None:
        """Let plugins send messages: called by a bot before ``startup``."""
        self._services.chats.of = chats_of

    def is_active(self, plugin_id: str) -> bool:
        """Return whether a plugin is active."""
        return any(plugin.id == plugin_id and plugin.is_active for plugin in self._roster.plugins)

    def handles_presses(self, plugin_id: str) -> bool:
        """Return whether an active plugin implements ``tgllm_button``."""
        return self._button_of(plugin_id) is not None

    def press_handler(self, plugin_id: str) -> Callable[[Press], object] | None:
        """Return the function that handles presses on the buttons of a plugin; None if no active plugin has it."""
        bound = self._button_of(plugin_id)
        if bound is None:
            return None

        @wraps(bound.implementation.function)
        def handle(press: Press) -> object:
            return bound.implementation.function(*bound.arguments({"press": press}))

        return handle

    def context_of(self, plugin_id: str) -> PluginContext | None:
        """Return the context of an active plugin, for its shell commands; None if there is no such plugin."""
        return next(
            (plugin.context for plugin in self._roster.plugins if plugin.id == plugin_id and plugin.is_active), None
        )

    def title_of(self, plugin_id: str) -> str:
        """Return the title of a plugin, also of one that is not active; its id if it has none."""
        titles = (plugin.title for plugin in self._roster.plugins if plugin.id == plugin_id)
        return next(titles, "") or plugin_id

    def names_of(self, plugin_id: str) -> tuple[str, ...]:
        """Return the names of all that an active plugin offers, such as ``command /ping``, aliases included."""
        active = (plugin for plugin in self._roster.plugins if plugin.id == plugin_id and plugin.is_active)
        return tuple(str(name) for plugin in active for name in plugin.offers.names())

    def _button_of(self, plugin_id: str) -> Bound | None:
        implementations = self._roster.implementations("tgllm_button")
        return next((bound for bound in implementations if bound.plugin.id == plugin_id), None)

    def implementations(self, hook: str) -> tuple[Bound, ...]:
        """Return the implementations of active plugins, for a caller that judges their failures itself."""
        return self._roster.implementations(hook)

    async def startup(self) -> None:
        """Store the known plugins for the next run, then call the startup hooks.

        Raises:
            DatabaseError: the database can't be written.
        """
        self._report()
        if self._services.database is not None:
            await records.remember(
                self._services.database, self._roster.plugins, self._roster.disabled, self._services.clock
            )
        await lifecycle.startup(self._roster)

    async def shutdown(self) -> None:
        """Call the shutdown hooks in reverse order."""
        await lifecycle.shutdown(self._roster)

    async def doctor(self) -> list[tuple[str, Check]]:
        """Return the check results of all active plugins, each with the plugin's id."""
        return await lifecycle.doctor(self._roster, self._limits)

    async def authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision:
        """Ask the plugins whether a user may do something; any of them can deny it.

        While a plugin that is known to implement this hook is quarantined, missing or not loaded, only owners are
        allowed; a plugin that the operator has disabled by name is ignored.

        Args:
            user: an approved user.
            chat: the chat of the action.
            action: ``message``, ``command:<name>`` or ``button``.
        """
        return await self._turns.authorize(user, chat, action)

    async def before_request(self, request: ChatRequest, turn: TurnInfo) -> ChatRequest:
        """Return the request as changed by the plugins.

        Raises:
            TgllmError: a plugin ends the turn with this message.
        """
        return await self._turns.before_request(request, turn)

    async def after_reply(self, turn: TurnInfo, result: TurnResult) -> None:
        """Notify the plugins of an answer."""
        await self._turns.after_reply(turn, result)

    async def on_error(self, turn: TurnInfo, error: TgllmError) -> None:
        """Notify the plugins of a failed turn."""
        await self._turns.on_error(turn, error)

    def quarantine(self, plugin_id: str, reason: str, failure: BaseException | None = None) -> None:
        """Quarantine a plugin that broke the contract outside of the host's calls, such as in a provider."""
        self._roster.quarantine(plugin_id, reason, failure)

    def report_to(self, on_quarantine: OnQuarantine, on_failure: OnFailure | None = None) -> None:
        """Have quarantines, and failures that cause none, reported to functions instead of the log.

        Quarantines at loading are reported by ``startup``.
        """
        self._roster.report_to(on_quarantine, on_failure)

    async def aclose(self) -> None:
        """Cancel hooks that still run after their timeout."""
        await self._runner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _report(self) -> None:
        for plugin in self._roster.plugins:
            if plugin.state == "quarantined" and self._roster.has_reporter:
                self._roster.report(plugin)
            elif plugin.state in {"quarantined", "missing", "misconfigured"}:
                self._log.warning(
                    "plugin.not_active", plugin=plugin.id, state=plugin.state, reason=plugin.reason, at=plugin.at
                )
            for note in (*plugin.notes, *plugin.left_out) if plugin.is_active else ():
                self._log.warning("plugin.note", plugin=plugin.id, note=note)
        ids = {plugin.id for plugin in self._roster.plugins}
        for plugin_id in sorted(self._roster.disabled - ids):
            self._log.warning("plugin.disabled_unknown", plugin=plugin_id, hint=nearest(plugin_id, ids).strip())
        for plugin_id in self._roster.absent_authorizers:
            self._log.warning("plugin.authorizer_absent", plugin=plugin_id, effect="only owners pass")


def _watch(services: HostServices) -> CallWatch:
    return CallWatch(services.clock, services.logs("plugins"), TraceWriter(services.data_dir))
