"""Turns with tools, without Telegram: a plugin with tools, and the services that run them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any

from tgllm import hookimpl
from tgllm.api import Danger, PluginContext, PluginInfo, ToolOutput, ToolSpec, ToolUse
from tgllm.config.sections.tools import ToolsSection
from tgllm.db.database import Database
from tgllm.db.tables import requests, users
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import rounds as tool_rounds
from tgllm.db.tables.tools.calls import StoredCall
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.budgets.service import BudgetService
from tgllm.services.common.calendar import Days
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import ShownEvent, Turn, TurnOutcome
from tgllm.services.errors.reports import LoggedOnly
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.tools.approvals import Approvals
from tgllm.services.tools.opening import open_tools
from tgllm.services.tools.policy import ToolPolicy
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

__all__ = ["Box", "KeptSink", "MakeBench", "ToolBench", "add_person", "open_bench"]

Does = Callable[[ToolUse], Awaitable[Any]]


class Box:
    """A plugin with tools, and the calls that they had."""

    def __init__(self) -> None:
        self.uses: list[ToolUse] = []
        self.tools: dict[str, ToolSpec] = {}

    def add(self, name: str, does: Does | None = None, danger: Danger = "read", **changes: Any) -> None:
        """Add a tool; without ``does`` it returns its name and its arguments."""

        async def handler(use: ToolUse) -> ToolOutput | str:
            self.uses.append(use)
            return f"{use.tool} {dict(use.arguments)}" if does is None else await does(use)

        self.tools[name] = ToolSpec(name, f"The tool {name}.", handler, danger=danger, **changes)

    @property
    def made(self) -> list[str]:
        """Names of the tools that were called, in order."""
        return [use.tool for use in self.uses]

    @property
    def plugin(self) -> GivenPlugin:
        """The plugin, for a plugin host."""
        return GivenPlugin.of("box", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="box", title="Box", api="1.2")

    @hookimpl
    def tgllm_tools(self, ctx: PluginContext) -> Sequence[ToolSpec]:
        return tuple(self.tools.values())


@dataclass
class KeptSink:
    """Keeps what a turn shows."""

    events: list[ShownEvent] = field(default_factory=list[ShownEvent])
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, event: ShownEvent) -> None:
        self.events.append(event)
        self.changed.set()

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        return ()

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Tools and states of the steps, in order."""
        return [(event.tool, event.state) for event in self.events if isinstance(event, ToolStep)]

    async def until(self, tool: str, state: str) -> None:
        """Wait for a step."""
        while (tool, state) not in self.steps:
            self.changed.clear()
            await self.changed.wait()


@dataclass
class ToolBench:
    """A conversation service with tools."""

    service: ConversationService
    running: RunningTurns
    database: Database
    provider: ScriptedProvider
    box: Box
    turn: Turn
    sink: KeptSink = field(default_factory=KeptSink)

    async def ask(self, **changes: Any) -> TurnOutcome:
        """Run a turn."""
        return await self.service.run(replace(self.turn, **changes), self.sink)

    async def calls(self) -> list[StoredCall]:
        """All stored calls, in order."""
        return list(reversed(await self.database.read(lambda conn: tool_calls.recent(conn, 100))))

    async def states(self) -> list[str]:
        """States of all stored calls, in order."""
        return [call.state for call in await self.calls()]

    async def rounds(self) -> int:
        """Number of stored rounds."""
        return len(await self.database.read(lambda conn: tool_rounds.of_turn(conn, self.turn.id)))

    async def requests(self) -> list[tuple[int, str]]:
        """Number and outcome of the stored requests."""
        found = await self.database.read(lambda conn: requests.of_turn(conn, self.turn.id))
        return [(each.attempt, each.status) for each in found]


def open_bench(  # noqa: PLR0913  all keyword-only
    database: Database,
    host: PluginHost,
    clock: ManualClock,
    turn: Turn,
    provider: ScriptedProvider,
    box: Box,
    *,
    settings: Mapping[str, Any] | None = None,
    approvals: Approvals | None = None,
    budgets: BudgetService | None = None,
    fallbacks: Any = None,
) -> ToolBench:
    """Open the services on an open database and host."""
    section = ToolsSection.model_validate(settings or {})
    texts, running, accounting = Catalogue(), RunningTurns(), Accounting()
    turns = TurnSettings("scripted/model", "Be brief.", 8000, 60.0, close_seconds=0.01, texts=texts)
    if fallbacks is not None:
        turns = replace(turns, fallbacks=fallbacks)
    notifier = AdminNotifier(database, clock, None)
    policy = ToolPolicy(section, Days(UTC))
    services = TurnServices(
        database=database,
        clock=clock,
        registry=ProviderRegistry(host),
        host=host,
        running=running,
        budgets=budgets or BudgetService(database, clock, accounting, texts, notifier),
        account_alerts=None,
        tools=open_tools(section, host, clock, texts, LoggedOnly(), policy, approvals=approvals),
    )
    return ToolBench(ConversationService(services, turns), running, database, provider, box, turn)


def add_person(conn: Any, user_id: int = 7) -> None:
    """Approve the person of the turns."""
    users.upsert_seen(conn, users.SeenUser(user_id, "Ann"), 1)
    users.set_status(conn, user_id, "active", 1)
    users.set_role(conn, user_id, "user", 1)


MakeBench = Callable[..., Awaitable[ToolBench]]
