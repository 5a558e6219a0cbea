"""Composition root: opens the parts of the program in order and closes them in reverse.

``open_host`` opens the database and the plugins, ``open_core`` what shell commands need besides. ``open_bot`` adds the
bot's services and the bot, and is the first to import aiogram.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.errors import DatabaseError
from tgllm.api.people import UserInfo
from tgllm.config.checks import zone
from tgllm.config.load import LoadedConfig
from tgllm.config.model import Config
from tgllm.database_place import database_place
from tgllm.db.database import Database
from tgllm.db.engine.lock import LOCK_NAME
from tgllm.db.engine.unit import Connection
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.discovery import FoundPlugin, discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices

if TYPE_CHECKING:
    from tgllm.bot.runtime import BotRuntime
    from tgllm.plugins.holds.watch import HoldWatch
    from tgllm.services.bot_core import BotCore
    from tgllm.services.core import Core
    from tgllm.services.replicas.membership import Membership
    from tgllm.services.shell_core import ShellCore
    from tgllm.web.open import Web
    from tgllm.web.webhook import Hook

__all__ = [
    "enter_core",
    "open_bot",
    "open_core",
    "open_host",
    "open_shell",
    "open_web_server",
    "open_webhook_server",
    "watch_runtime",
]

log = get_logger(__name__)

WAITED_FOR_AT_START = frozenset({"database_full", "database_locked", "database_away"})
"""Codes of errors after which the start is tried again."""
START_RETRY_SECONDS = 2.0


@asynccontextmanager
async def open_host(
    loaded: LoadedConfig,
    clock: Clock,
    texts: Catalogue,
    *,
    plugins: bool = True,
    found: Iterable[FoundPlugin] | None = None,
) -> AsyncGenerator[tuple[Database, PluginHost]]:
    """Open the database and load the plugins; the arguments are those of ``open_core``."""
    config = loaded.config
    time_zone = zone(config.time_zone)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(await Database.open(database_place(config), clock=clock))
        host = await PluginHost.load(
            discover() if found is None else found,
            HostServices(database, config.data_dir, clock, texts, get_logger, config.language, time_zone, _find_person),
            settings=loaded.plugins,
            choice=PluginChoice(others=plugins, disabled=frozenset(config.disable_plugins)),
            reserved_commands=CORE_COMMANDS,
        )
        yield database, await stack.enter_async_context(host)


def _find_person(conn: Connection, user_id: int, now: int) -> UserInfo | None:
    from tgllm.services.people.standing import find_person  # noqa: PLC0415  `tgllm plugins list` needs no service

    return find_person(conn, user_id, now)


@asynccontextmanager
async def open_core(
    loaded: LoadedConfig,
    *,
    plugins: bool = True,
    clock: Clock | None = None,
    found: Iterable[FoundPlugin] | None = None,
) -> "AsyncGenerator[Core]":
    """Open database, plugins and providers.

    Args:
        loaded: the settings.
        plugins: False loads only the built-in plugins.
        clock: the clock; the system clock by default.
        found: the available plugins; the installed ones by default.

    Raises:
        DatabaseError: the database can't be used.
    """
    from tgllm.services.core import open_services  # noqa: PLC0415  `tgllm plugins list` needs no service

    clock = clock or SystemClock()
    texts = Catalogue(loaded.config.language)
    async with (
        open_host(loaded, clock, texts, plugins=plugins, found=found) as (database, host),
        open_services(loaded.config, clock, texts, database, host) as core,
    ):
        yield core


async def enter_core(
    stack: AsyncExitStack,
    loaded: LoadedConfig,
    *,
    plugins: bool = True,
    clock: Clock | None = None,
    found: Iterable[FoundPlugin] | None = None,
) -> "Core":
    """Open the core as ``open_core`` does, but wait while the disk is full, or the database locked or its server away.

    A supervisor that starts the bot again and again would give up before the disk has space. A database that can't be
    read or written at all is a mistake in the set-up more often than a passing state, and raises.
    """
    from tgllm.observe.service_manager import service_manager  # noqa: PLC0415  shell commands need none

    clock, waits_for = clock or SystemClock(), ""
    while True:
        try:
            core = await stack.enter_async_context(open_core(loaded, plugins=plugins, clock=clock, found=found))
        except DatabaseError as error:
            if error.code not in WAITED_FOR_AT_START:
                raise
            if error.code != waits_for:
                log.error("storage.closed", code=error.code, reason=str(error))
                service_manager().starting(f"waiting for the database: {error.code}")
            waits_for = error.code
            await clock.sleep(START_RETRY_SECONDS)
        else:
            return core


@asynccontextmanager
async def open_shell(
    loaded: LoadedConfig,
    *,
    plugins: bool = True,
    clock: Clock | None = None,
    found: Iterable[FoundPlugin] | None = None,
) -> "AsyncGenerator[ShellCore]":
    """Open what a chat in the shell needs, and start the plugins; the arguments are those of ``open_core``.

    The data folder is not locked: a bot may run on it.

    Raises:
        DatabaseError: the database can't be used.
    """
    from tgllm.services.shell_core import open_shell_core  # noqa: PLC0415  other shell commands don't need it

    async with (
        open_core(loaded, plugins=plugins, clock=clock, found=found) as core,
        open_shell_core(core) as shell_core,
    ):
        try:
            await core.host.startup()
            yield shell_core
        finally:
            await core.host.shutdown()


@asynccontextmanager
async def open_bot(core: "Core", token: str, watch: "HoldWatch | None" = None) -> "AsyncGenerator[BotRuntime]":
    """Open the bot's services, start the plugins and connect the bot.

    The runtime's ``run`` then runs the bot and the scheduler.

    Args:
        core: the opened core.
        token: the bot's.
        watch: a running watch over the event loop; by default one that runs as long as the bot.

    Raises:
        ConfigError: a plugin's settings or the refresh times are invalid.
        TelegramRefused: the token is invalid.
    """
    from tgllm.bot.runtime import open_replies, open_runtime  # noqa: PLC0415  imports aiogram, which nothing else needs
    from tgllm.plugins.holds.watch import HoldLimits, HoldWatch  # noqa: PLC0415  shell commands have no loop to watch
    from tgllm.scheduler.by_hand import JobsByHand  # noqa: PLC0415  imports APScheduler, which only a running bot needs
    from tgllm.scheduler.jobs import jobs_of  # noqa: PLC0415  only a running bot has jobs
    from tgllm.scheduler.one_shot import OneShotJobs  # noqa: PLC0415  only a running bot has jobs
    from tgllm.scheduler.scheduler import Scheduler  # noqa: PLC0415  only a running bot has jobs
    from tgllm.services.bot_core import open_bot_core  # noqa: PLC0415  shell commands don't need them
    from tgllm.services.maintenance.storage_log import log_storage  # noqa: PLC0415  shell commands don't need it

    if core.host.config_errors:
        raise core.host.config_errors[0]
    async with AsyncExitStack() as stack:
        if watch is None:
            watch = HoldWatch(core.clock, log, HoldLimits())
            stack.enter_context(watch.watching())
        watch.attach(core.host.owners, core.host.holds)
        # From here on a full disk or a locked database is waited out.
        log_storage(core.database, core.clock)
        await stack.enter_async_context(core.database.patient(core.clock))
        membership = await _join(stack, core)
        bot_core = await stack.enter_async_context(open_bot_core(core))
        core.host.report_to(bot_core.errors.report_quarantine, bot_core.errors.report_failure)
        stack.push(bot_core.errors.report_crash)
        stack.enter_context(_strays_reported(bot_core))
        await core.database.watch_file(core.clock, _files_beside(core.config.data_dir))
        await bot_core.users.ensure_owners(core.config.admin_ids)
        composer = await stack.enter_async_context(open_replies(bot_core))
        try:
            await core.host.startup()
            jobs = jobs_of(bot_core)
            scheduler = Scheduler(core.database, core.clock, jobs, bot_core.errors)
            one_shot = OneShotJobs(core.database, core.clock, core.host, bot_core.errors)
            beside = [scheduler.run, one_shot.run, bot_core.search_index.run]
            async with open_runtime(bot_core, composer, token, beside, scheduler.times, membership) as runtime:
                runtime.loop_lag = watch.lag
                runtime.run_job = JobsByHand(jobs, one_shot).run
                yield runtime
        finally:
            await core.host.shutdown()


async def _join(stack: AsyncExitStack, core: "Core") -> "Membership | None":
    """Make the bot one of several replicas, if its database is on a server."""
    if not core.database.is_server:
        return None
    from tgllm.services.replicas.membership import Membership  # noqa: PLC0415  imports psycopg, which few bots need

    return await stack.enter_async_context(Membership(core.database, core.config.replicas).joined())


@asynccontextmanager
async def open_web_server(
    config: Config, clock: Clock | None = None, stopping: Callable[[], bool] = lambda: False
) -> "AsyncGenerator[Web | None]":
    """Open the web server if the settings have a port for it. It opens first and closes last.

    Raises:
        ConfigError: the port can't be used.
    """
    if config.web.port is None:
        if config.web.metrics:
            log.warning("metrics.no_port", hint="Set web.port, such as TGLLM_WEB__PORT=9090")
        yield None
        return
    from tgllm.web.open import open_web  # noqa: PLC0415  imports aiohttp's server, which most bots don't need

    async with open_web(config, clock or SystemClock(), stopping) as web:
        yield web


@asynccontextmanager
async def open_webhook_server(config: Config, clock: Clock | None = None) -> "AsyncGenerator[Hook | None]":
    """Open the port of the webhook if the settings have an address for it.

    Raises:
        ConfigError: the port can't be used.
    """
    if config.webhook.url is None:
        yield None
        return
    from tgllm.web.webhook import open_webhook  # noqa: PLC0415  most bots have none

    async with open_webhook(config, clock or SystemClock()) as hook:
        yield hook


def watch_runtime(runtime: "BotRuntime", web: "Web | None", hook: "Hook | None") -> None:
    """Connect a bot with the open servers: its health, and the updates that Telegram sends to it."""
    if web is not None:
        web.watch_polls(runtime.seconds_since_poll)
        web.watch_loop(runtime.loop_lag, runtime.seconds_asking)
        web.watch_webhook(runtime.webhook)
        web.watch_replica(runtime.membership)
    if hook is not None and runtime.webhook is not None:
        hook.pass_to(runtime.webhook.put)


@contextmanager
def _strays_reported(core: "BotCore") -> "Generator[None]":
    """Report errors of tasks that nothing awaits, and of callbacks, such as those of plugins."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            core.errors.report_stray(error, context.get("task") or context.get("future"))
        elif before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def _files_beside(data_dir: Path) -> tuple[str, ...]:
    return (LOCK_NAME,) if (data_dir / LOCK_NAME).exists() else ()
