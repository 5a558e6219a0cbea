"""The composition root: opens what the program consists of, in order, and closes it in reverse.

``open_core`` is for everything that works without Telegram; ``open_bot`` adds the bot and is the first to import
aiogram.
"""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from tgllm.api.clock import Clock, SystemClock
from tgllm.config.load import LoadedConfig, require_token
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.lock import lock_data_folder
from tgllm.i18n import Catalogue
from tgllm.observe.logs import configure_logging, get_logger
from tgllm.plugins.discovery import FoundPlugin, discover
from tgllm.plugins.host import PluginHost
from tgllm.services.command_names import CORE_COMMANDS
from tgllm.services.conversation import ConversationService, TurnSettings
from tgllm.services.core import Core
from tgllm.services.registry import ProviderRegistry
from tgllm.services.running import RunningTurns
from tgllm.services.user_service import UserService

if TYPE_CHECKING:
    from tgllm.bot.runtime import BotRuntime

__all__ = ["open_bot", "open_core", "run_bot"]

log = get_logger(__name__)


@asynccontextmanager
async def open_core(
    loaded: LoadedConfig,
    *,
    plugins: bool = True,
    clock: Clock | None = None,
    found: Iterable[FoundPlugin] | None = None,
) -> AsyncGenerator[Core]:
    """Open database, plugins and services.

    Args:
        loaded: the settings.
        plugins: False leaves out all plugins but the built-in ones.
        clock: the time; the machine's by default.
        found: the plugins there are; those that are installed by default.

    Raises:
        DatabaseError: the database can't be used.
    """
    clock = clock or SystemClock()
    config = loaded.config
    texts = Catalogue(config.language)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(await Database.open(database_path(config.data_dir), clock=clock))
        host = await PluginHost.load(
            discover() if found is None else found,
            data_dir=config.data_dir,
            clock=clock,
            texts=texts,
            logs=get_logger,
            database=database,
            settings=loaded.plugins,
            disabled=frozenset(config.disable_plugins),
            plugins_enabled=plugins,
            reserved_commands=CORE_COMMANDS,
        )
        await stack.enter_async_context(host)
        registry = ProviderRegistry(host)
        stack.push_async_callback(registry.aclose)
        running = RunningTurns()
        settings = TurnSettings(
            config.default_model, config.system_prompt, config.turns.context_tokens, config.turns.idle_timeout
        )
        yield Core(
            config=config,
            clock=clock,
            texts=texts,
            database=database,
            host=host,
            registry=registry,
            users=UserService(database, clock),
            running=running,
            conversations=ConversationService(database, registry, host, running, clock, settings),
        )


@asynccontextmanager
async def open_bot(core: Core, token: str) -> "AsyncGenerator[BotRuntime]":
    """Start the plugins and connect the bot; it runs when ``run`` of what comes is awaited.

    Raises:
        ConfigError: a plugin's settings are wrong.
        TelegramRefused: the token is wrong.
    """
    from tgllm.bot.runtime import open_runtime  # noqa: PLC0415  imports aiogram, which nothing else needs

    if core.host.config_errors:
        raise core.host.config_errors[0]
    await core.users.ensure_owners(core.config.admin_ids)
    await core.host.startup()
    try:
        async with open_runtime(core, token) as runtime:
            yield runtime
    finally:
        await core.host.shutdown()


def run_bot(loaded: LoadedConfig, *, plugins: bool = True) -> int:
    """Run the bot until it is told to stop; the exit code of the program.

    SIGTERM and SIGINT stop it in order; a second signal ends it at once.

    Raises:
        ConfigError: the settings are wrong.
        TgllmError: the bot can't work; the sentence says why.
    """
    token = require_token(loaded).get_secret_value()
    configure_logging(loaded.config.log.format, loaded.config.log.level)
    with lock_data_folder(loaded.config.data_dir):
        _run_loop(_serve(loaded, token, plugins=plugins))
    return 0


async def _serve(loaded: LoadedConfig, token: str, *, plugins: bool) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with open_core(loaded, plugins=plugins) as core, open_bot(core, token) as runtime:
        # All that was made so far lives as long as the program; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        await runtime.run(stop)
    log.info("bot.stopped")


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            # Whatever hangs must not hold up the second request; the database is consistent at any moment.
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def _run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed, on asyncio's own loop elsewhere."""
    try:
        import uvloop  # noqa: PLC0415  an extra, not on every system
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
