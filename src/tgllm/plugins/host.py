"""The plugin host: loads plugins, keeps each from disturbing the others, and is all that the bot sees of them."""

import sys
from collections.abc import Collection, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tgllm.api.clock import Clock
from tgllm.api.context import Check, Texts
from tgllm.api.errors import ConfigError, TgllmError
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.turn import Decision, TurnInfo, TurnResult
from tgllm.api.types import ChatRequest
from tgllm.plugins import lifecycle
from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.calls.limits import HostLimits
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.calls.thread import HookThread
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.loading import records
from tgllm.plugins.loading.assemble import assemble
from tgllm.plugins.loading.contexts import Logs, Services
from tgllm.plugins.loading.loader import Loader
from tgllm.plugins.loading.records import PluginRecord
from tgllm.plugins.loading.registration import nearest
from tgllm.plugins.loading.settings import NO_SETTINGS, PluginSettingsSource
from tgllm.plugins.owned import OwnedCommand, OwnedFileHandler, OwnedJob, OwnedProvider
from tgllm.plugins.roster import Roster
from tgllm.plugins.turns import TurnHooks

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["PluginHost"]

_LIMITS = HostLimits()


class PluginHost:
    """The plugins of one run. Made by ``load``; closed by ``aclose``, or as an async context manager.

    A plugin that fails is quarantined: all that it brought is gone from the properties below, and none of its hooks
    is called again. So ask for ``providers`` and the rest when they are needed; ``revision`` tells whether they
    are as they were.
    """

    def __init__(self, roster: Roster, runner: HookRunner, services: Services, limits: HostLimits) -> None:
        """Take what ``load`` has made."""
        self._roster = roster
        self._runner = runner
        self._services = services
        self._limits = limits
        self._turns = TurnHooks(roster, services.texts)
        self._log = services.logs("plugins")

    @classmethod
    async def load(  # noqa: PLR0913  the one place where each thing that plugins get from outside is named
        cls,
        found: Iterable[FoundPlugin],
        *,
        data_dir: Path,
        clock: Clock,
        texts: Texts,
        logs: Logs,
        database: "Database | None" = None,
        settings: PluginSettingsSource = NO_SETTINGS,
        builtin: bool = True,
        disabled: Collection[str] = frozenset(),
        language: str = "en",
        plugins_enabled: bool = True,
        reserved_commands: Collection[str] = frozenset(),
        limits: HostLimits = _LIMITS,
    ) -> Self:
        """Load plugins. What is wrong with one is in its record; nothing of that is raised.

        Args:
            found: what ``discover`` found.
            data_dir: the bot's; each plugin has a folder under ``plugins/`` there.
            clock: the time, for plugins.
            texts: the text catalogue.
            logs: makes a logger from the name of the part that speaks, such as ``plugin.echo``.
            database: for the values of plugins, and to know what was there on the last run.
            settings: what the operator set for plugins.
            builtin: whether the plugins that come with tgllm take part.
            disabled: ids that the operator switched off by name.
            language: the one in which plugins talk to people whose own is not known.
            plugins_enabled: False leaves out all but the built-in plugins (``--no-plugins``).
            reserved_commands: names of the bot's own chat commands, without the slash.
            limits: how long plugins may take.
        """
        services = Services(database, data_dir, clock, texts, logs, language)
        known = await records.recall(database)
        thread = HookThread()
        try:
            # What a shell command prints may be JSON for a program; what a plugin prints has no place in it.
            with redirect_stdout(sys.stderr):
                plugins = await assemble(
                    [*(BUILTIN if builtin else ()), *found],
                    Loader(thread, limits, settings, services),
                    known=known,
                    disabled=disabled,
                    plugins_enabled=plugins_enabled,
                    reserved_commands=reserved_commands,
                )
        finally:
            thread.close()
        runner = HookRunner(limits.async_seconds, limits.grace_seconds)
        roster = Roster(plugins, disabled, runner, services.logs("plugins"))
        return cls(roster, runner, services, limits)

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """Every plugin that is or was there: the built-in ones first, then by id."""
        return tuple(records.record_of(plugin) for plugin in self._roster.plugins)

    @property
    def config_errors(self) -> tuple[ConfigError, ...]:
        """What is wrong with the operator's settings for plugins; ``tgllm run`` does not start with any."""
        return tuple(ConfigError(plugin.reason) for plugin in self._roster.plugins if plugin.state == "misconfigured")

    @property
    def revision(self) -> int:
        """A number that grows each time a plugin is quarantined."""
        return self._roster.revision

    @property
    def providers(self) -> tuple[OwnedProvider, ...]:
        """Providers of active plugins, in order."""
        return self._roster.offered(lambda offers: offers.providers, OwnedProvider)

    @property
    def commands(self) -> tuple[OwnedCommand, ...]:
        """Chat commands of active plugins, in order."""
        return self._roster.offered(lambda offers: offers.commands, OwnedCommand)

    @property
    def file_handlers(self) -> tuple[OwnedFileHandler, ...]:
        """Readers of files of active plugins, in order: the first that takes a kind of file reads it."""
        return self._roster.offered(lambda offers: offers.file_handlers, OwnedFileHandler)

    @property
    def jobs(self) -> tuple[OwnedJob, ...]:
        """Jobs of active plugins, in order."""
        return self._roster.offered(lambda offers: offers.jobs, OwnedJob)

    async def startup(self) -> None:
        """Keep what is known of the plugins for the next run, then let each get ready.

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
        """Let each plugin let go, in reverse order."""
        await lifecycle.shutdown(self._roster, self._log)

    async def doctor(self) -> list[tuple[str, Check]]:
        """The checks of all active plugins, each with the plugin's id."""
        return await lifecycle.doctor(self._roster, self._limits)

    async def authorize(self, user: UserInfo, chat: ChatInfo, action: str) -> Decision:
        """Whether no plugin objects to what a person is about to do.

        While a plugin that is known to have a say here is quarantined, missing or not loaded, only owners pass; one
        that the operator disabled by name does not count.

        Args:
            user: somebody who has been let in already.
            chat: where.
            action: ``message``, ``command:<name>`` or ``button``.
        """
        return await self._turns.authorize(user, chat, action)

    async def before_request(self, request: ChatRequest, turn: TurnInfo) -> ChatRequest:
        """The request as the plugins want it sent.

        Raises:
            TgllmError: a plugin ends the turn with these words.
        """
        return await self._turns.before_request(request, turn)

    async def after_reply(self, turn: TurnInfo, result: TurnResult) -> None:
        """Tell the plugins of an answer."""
        await self._turns.after_reply(turn, result)

    async def on_error(self, turn: TurnInfo, error: TgllmError) -> None:
        """Tell the plugins of a turn that failed."""
        await self._turns.on_error(turn, error)

    def quarantine(self, plugin_id: str, reason: str) -> None:
        """Take out a plugin that broke the contract in a place which the host does not call, such as a provider."""
        self._roster.quarantine(plugin_id, reason)

    async def aclose(self) -> None:
        """End what still runs of hooks that were given up."""
        await self._runner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _report(self) -> None:
        for plugin in self._roster.plugins:
            if plugin.state in {"quarantined", "missing", "misconfigured"}:
                self._log.warning("plugin.not_active", plugin=plugin.id, state=plugin.state, reason=plugin.reason)
            for note in plugin.notes if plugin.is_active else ():
                self._log.warning("plugin.note", plugin=plugin.id, note=note)
        ids = {plugin.id for plugin in self._roster.plugins}
        for plugin_id in sorted(self._roster.disabled - ids):
            self._log.warning("plugin.disabled_unknown", plugin=plugin_id, hint=nearest(plugin_id, ids).strip())
        for plugin_id in self._roster.absent_authorizers:
            self._log.warning("plugin.authorizer_absent", plugin=plugin_id, effect="only owners pass")
