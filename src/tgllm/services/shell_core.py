"""Services of a chat in the shell, beside a bot that may run on the same data folder."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from tgllm.config.checks import zone
from tgllm.db.engine.unit import Connection
from tgllm.services.budgets.service import BudgetService
from tgllm.services.common.calendar import Days
from tgllm.services.core import Core
from tgllm.services.errors.reports import LoggedOnly
from tgllm.services.files.opening import open_files
from tgllm.services.files.storage.opening import storage_of
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.models.pricing import Prices
from tgllm.services.reading.pool import ReaderPool
from tgllm.services.reading.values import MissingPackage
from tgllm.services.tools.opening import open_tools
from tgllm.services.tools.policy import ToolPolicy
from tgllm.services.turn_settings import pool_settings, turn_settings
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting

__all__ = ["ShellCore", "open_shell_core"]

CONTEXT_TOKENS = 100_000
"""Least default context size: the operator pipes in diffs and logs, and sees what each answer costs."""


@dataclass(frozen=True, slots=True)
class ShellCore(Core):
    """Core of a chat in the shell: that of shell commands, and the services of turns."""

    running: RunningTurns
    conversations: ConversationService
    storage: FileStorage
    prices: Prices


@asynccontextmanager
async def open_shell_core(core: Core) -> AsyncGenerator[ShellCore]:
    """Open the services of turns on an open core, which outlives them.

    A bot may run on the same data folder, so nothing of it is cleaned up. Who may use the shell is decided by the
    permissions of the data folder; errors and missing packages are told to the one who asks, not to the admins.
    """
    config, clock, texts, database = core.config, core.clock, core.texts, core.database
    running = RunningTurns()
    context_tokens = max(CONTEXT_TOKENS, config.turns.context_tokens)
    prices = Prices(config.prices, core.registry.canonical, fallback=config.budgets.fallback_price)
    accounting = Accounting(prices, Days(zone(config.time_zone)))
    budgets = BudgetService(database, clock, accounting, texts, core.notifier, config.budgets, config.groups)
    # The reading folder of the data folder belongs to the bot, which deletes it.
    pool = ReaderPool(clock, core.host.quarantine, _ignore, pool_settings(config, None))
    async with (
        aclosing(storage_of(config)) as storage,
        aclosing(pool) as reader,
        open_files(config, clock, texts, database, core.host, reader, storage) as files,
        aclosing(
            ConversationService(
                TurnServices(
                    database=database,
                    clock=clock,
                    registry=core.registry,
                    host=core.host,
                    running=running,
                    budgets=budgets,
                    account_alerts=None,
                    files=files,
                    may_talk=_always,
                    tools=open_tools(
                        config.tools,
                        core.host,
                        clock,
                        texts,
                        LoggedOnly(),
                        ToolPolicy(config.tools, accounting.days),
                        storage=storage,
                    ),
                ),
                replace(turn_settings(config, texts, accounting, storage), context_tokens=context_tokens),
            )
        ) as service,
    ):
        yield ShellCore(
            config=config,
            clock=clock,
            texts=texts,
            database=database,
            host=core.host,
            registry=core.registry,
            notifier=core.notifier,
            models=core.models,
            storage=storage,
            running=running,
            conversations=service,
            prices=prices,
        )


def _always(_conn: Connection, _user_id: int, _chat_id: int, _now: int) -> bool:
    return True


async def _ignore(_missing: MissingPackage) -> None:
    """Do nothing: the error of the file names the package."""
