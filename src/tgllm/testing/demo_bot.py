"""The bot of the demo, which is started again when a plugin that is not installed has changed."""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.local.plugins import LocalPlugins, Tried
from tgllm.testing.samples.tools import DEMO_TOOL_RULES

__all__ = ["DemoBot", "DemoSettings"]

_WORD_SECONDS = 0.12


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the bot is started with, apart from the plugins that are not installed."""

    plugins: tuple[FoundPlugin, ...]
    environ: Mapping[str, str]
    model: str
    """The default model."""
    prefers_local: bool = False
    """Whether a model of a plugin that is not installed answers instead, if there is one."""


class DemoBot:
    """The bot; its data and the chats stay when it is started again. Enter and leave it in one task."""

    def __init__(
        self, emulator: Emulator, folder: Path, admins: Iterable[int], settings: DemoSettings, local: LocalPlugins
    ) -> None:
        """Create it; entering starts it."""
        self._emulator = emulator
        self._folder = folder
        self._admins = tuple(admins)
        self._settings = settings
        self._local = local
        self._stack = AsyncExitStack()
        self._running: RunningBot | None = None

    async def __aenter__(self) -> Self:
        """Start the bot."""
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the bot."""
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def model(self) -> str:
        """A reference of the default model."""
        return (self._local.model if self._settings.prefers_local else None) or self._settings.model

    async def reload(self) -> list[Tried]:
        """Load the plugins again of which files have changed, and start the bot with them; empty if there are none."""
        tried = await self._local.changed()
        if any(one.works for one in tried):
            await self._stack.aclose()
            await self._start()
        return self.checked(tried)

    def checked(self, tried: Iterable[Tried]) -> list[Tried]:
        """Add to the results of loading what has failed when the bot was started."""
        return [self._after_start(one) for one in tried]

    def _after_start(self, tried: Tried) -> Tried:
        if self._running is None or not tried.works:
            return tried
        records = {record.id: record for record in self._running.core.host.records}
        trials = (
            trial
            if records[trial.found.id].state == "active"
            else replace(trial, problem=records[trial.found.id].reason)
            for trial in tried.trials
        )
        return replace(tried, trials=tuple(trials))

    async def _start(self) -> None:
        own = {plugin.id for plugin in self._local.named}
        packages = {plugin.package for plugin in self._local.named}
        others = (each for each in self._settings.plugins if each.id not in own and each.package not in packages)
        bot = running_bot(
            self._emulator,
            self._folder,
            admins=self._admins,
            plugins=(*others, *self._local.found),
            environ={
                "TGLLM_PLUGINS__ECHO__DELAY": str(_WORD_SECONDS),
                **self._settings.environ,
                **self._local.environ,
            },
            default_model=self.model,
            tools__rules=DEMO_TOOL_RULES,
            streaming__first_delay=0.3,
            streaming__draft_interval=0.5,
            streaming__edit_interval=0.5,
        )
        self._running = await self._stack.enter_async_context(bot)
