"""``python -m benchmarks.load.tools``: what tools cost a turn, in this process, without Telegram and the network.

A model that answers at once is asked many times: without tools, with tools that it does not call, and with one call in
one round. Printed are the CPU time and the time of a turn, and the modules that are loaded.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from tgllm import hookimpl
from tgllm.api import ChatInfo, PluginInfo, ToolSpec, ToolUse, UserInfo
from tgllm.api.clock import SystemClock
from tgllm.config.sections.tools import ToolsSection
from tgllm.db.database import Database
from tgllm.db.tables import users
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.budgets.service import BudgetService
from tgllm.services.common.calendar import Days
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import ShownEvent, Turn, TurnOutcome
from tgllm.services.errors.reports import LoggedOnly
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.tools.opening import open_tools
from tgllm.services.tools.policy import ToolPolicy
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider, calling

__all__ = ["main"]

KINDS: Final = ("without tools", "tools offered", "one call")


class Adder:
    """A plugin with one tool."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        """Return the plugin's metadata."""
        return PluginInfo(id="adder", title="Adder", api="1.2")

    @hookimpl
    def tgllm_tools(self) -> Sequence[ToolSpec]:
        """Return the tool."""
        schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
        return (ToolSpec("add", "Adds two numbers.", _add, schema, danger="read"),)


async def _add(use: ToolUse) -> str:
    return str(use.arguments)


class Quiet:
    """A sink that shows nothing."""

    def show(self, event: ShownEvent) -> None:
        """Do nothing."""

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """Send nothing."""
        del outcome
        return ()


async def _measure(kind: str, turns: int, folder: Path) -> tuple[float, float]:
    """Return the CPU time and the time of a turn, in milliseconds."""
    clock, texts, accounting, section = SystemClock(), Catalogue(), Accounting(), ToolsSection()
    provider = ScriptedProvider(tools=kind != KINDS[0])
    plugins = [provider.plugin, *([] if kind == KINDS[0] else [GivenPlugin.of("adder", Adder())])]
    services = HostServices(None, folder, clock, texts, get_logger)
    async with (
        await Database.open(folder / "tgllm.db", clock=clock) as database,
        await PluginHost.load(plugins, services, choice=PluginChoice(builtin=False)) as host,
    ):
        await database.write(lambda conn: users.ensure_owners(conn, [7], 0))
        notifier = AdminNotifier(database, clock, None)
        service = ConversationService(
            TurnServices(
                database=database,
                clock=clock,
                registry=ProviderRegistry(host),
                host=host,
                running=RunningTurns(),
                budgets=BudgetService(database, clock, accounting, texts, notifier),
                account_alerts=None,
                tools=open_tools(section, host, clock, texts, LoggedOnly(), ToolPolicy(section, Days())),
            ),
            TurnSettings("scripted/model", None, 2000, 60.0, texts=texts),
        )

        async def ask(number: int) -> None:
            if kind == KINDS[2]:
                provider.answer(calling("add", a=1, b=number))
            provider.answer("Three.")
            lane = Lane(7).key
            turn = Turn(f"b{number}", lane, UserInfo(7, "Ann", "owner"), ChatInfo(7, "private"), "How much?")
            await service.run(turn, Quiet())
            provider.requests.clear()

        for number in range(20):
            await ask(number)
        cpu, began = time.process_time(), time.perf_counter()
        for number in range(20, 20 + turns):
            await ask(number)
        took = time.process_time() - cpu, time.perf_counter() - began
        await service.aclose()
    return took[0] / turns * 1000, took[1] / turns * 1000


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.tools", description=__doc__)
    parser.add_argument("--turns", type=int, default=200, help="turns of each kind")
    turns = parser.parse_args(argv).turns
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"{'kind':<16}{'CPU ms':>8}{'ms':>8}{'modules':>9}")
    for kind in KINDS:
        with TemporaryDirectory() as folder:
            cpu, took = asyncio.run(_measure(kind, turns, Path(folder)))
        print(f"{kind:<16}{cpu:>8.2f}{took:>8.2f}{len(sys.modules):>9}")


if __name__ == "__main__":
    main()
