"""Composition root: opens the parts of the program in order and closes them in reverse.

``open_host`` opens the database and the plugins, ``open_core`` what shell commands need besides. ``open_bot`` adds the
bot's services and the bot, and is the first to import aiogram.
"""

import asyncio
import gc
import platform
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tgllm
from tgllm.api.clock import Clock, SystemClock
from tgllm.api.errors import DatabaseError, PluginError, TgllmError
from tgllm.config.checks import zone
from tgllm.config.load import LoadedConfig, require_token
from tgllm.config.model import Config
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.engine.lock import LOCK_NAME, lock_data_folder
from tgllm.i18n import Catalogue
from tgllm.observe.errors import is_logged
from tgllm.observe.logs import configure_logging, flush_logging, get_logger
from tgllm.plugins.discovery import FoundPlugin, discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.people.lookup import look_up
from tgllm.shutdown import Stopping, run_loop, stop_on_signals

if TYPE_CHECKING:
    from tgllm.bot.runtime import BotRuntime
    from tgllm.observe.service_manager import ServiceManager
    from tgllm.plugins.holds.watch import HoldWatch
    from tgllm.services.bot_core import BotCore
    from tgllm.services.core import Core
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
    "run_bot",
    "watch_runtime",
]

log = get_logger(__name__)

COLLECT_AFTER = (20_000, 20, 50)
"""Thresholds of Python's garbage collector (gc.set_threshold); with the default of 700, a turn costs 5 % more."""
COLLECT_AT_START = 300_000
"""The same until the bot runs: imports make objects that stay, and a search for garbage among them costs a tenth."""
HELD_SECONDS = 5.0
"""Added to ``turns.stop_timeout``: how long the event loop may be blocked during a shutdown before the process ends."""
WAITED_FOR_AT_START = frozenset({"database_full", "database_locked"})
"""Codes of errors after which the start is tried again."""
START_RETRY_SECONDS = 2.0
SHUTDOWN_SECONDS = 40.0
"""Added to ``turns.stop_timeout``: how long a shutdown may take, with everything that has a time limit in it."""
STRAY_SECONDS = 2.0
"""Time limit for cancelled tasks to end at shutdown."""


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
        database = await stack.enter_async_context(await Database.open(database_path(config.data_dir), clock=clock))
        host = await PluginHost.load(
            discover() if found is None else found,
            HostServices(database, config.data_dir, clock, texts, get_logger, config.language, time_zone, look_up),
            settings=loaded.plugins,
            choice=PluginChoice(others=plugins, disabled=frozenset(config.disable_plugins)),
            reserved_commands=CORE_COMMANDS,
        )
        yield database, await stack.enter_async_context(host)


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
    """Open the core as ``open_core`` does, but wait while the disk is full or another program locks the database.

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
                service_manager().starting(f"waiting for the disk: {error.code}")
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
    from tgllm.bot.runtime import open_runtime  # noqa: PLC0415  imports aiogram, which nothing else needs
    from tgllm.plugins.holds.watch import HoldLimits, HoldWatch  # noqa: PLC0415  shell commands have no loop to watch
    from tgllm.scheduler.by_hand import JobsByHand  # noqa: PLC0415  imports APScheduler, which only a running bot needs
    from tgllm.scheduler.jobs import jobs_of  # noqa: PLC0415  the same
    from tgllm.scheduler.one_shot import OneShotJobs  # noqa: PLC0415  the same
    from tgllm.scheduler.scheduler import Scheduler  # noqa: PLC0415  the same
    from tgllm.services.bot_core import open_bot_core  # noqa: PLC0415  shell commands don't need them
    from tgllm.services.maintenance.storage_log import log_storage  # noqa: PLC0415  the same

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
        bot_core = await stack.enter_async_context(open_bot_core(core))
        core.host.report_to(bot_core.errors.report_quarantine)
        stack.push(bot_core.errors.report_crash)
        stack.enter_context(_strays_reported(bot_core))
        await core.database.watch_file(core.clock, _files_beside(core.config.data_dir))
        await bot_core.users.ensure_owners(core.config.admin_ids)
        try:
            await core.host.startup()
            jobs = jobs_of(bot_core)
            scheduler = Scheduler(core.database, core.clock, jobs, bot_core.errors)
            one_shot = OneShotJobs(core.database, core.clock, core.host, bot_core.errors)
            beside = [scheduler.run, one_shot.run]
            async with open_runtime(bot_core, token, beside, scheduler.times) as runtime:
                runtime.loop_lag = watch.lag
                runtime.run_job = JobsByHand(jobs, one_shot).run
                yield runtime
        finally:
            await core.host.shutdown()


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


def _traces(config: Config) -> AbstractAsyncContextManager[None]:
    """Return the export of traces, if the settings want it."""
    if not config.tracing.enabled:
        return nullcontext()
    from tgllm.observe.tracing.export import exported_traces  # noqa: PLC0415  seldom wanted

    return exported_traces(config.tracing.endpoint)


def run_bot(loaded: LoadedConfig, *, plugins: bool = True) -> int:
    """Run the bot until a signal stops it; return the exit code of the program.

    SIGTERM, SIGINT and SIGHUP (the terminal was closed) shut it down in order; a second SIGTERM or SIGINT ends it
    immediately. SIGHUP is ignored if it was ignored at the start (nohup).

    Raises:
        ConfigError: the settings are invalid.
        TgllmError: the bot can't run; the message says why.
    """
    from tgllm.observe.uncaught import uncaught_logged  # noqa: PLC0415  shell commands need none

    gc.set_threshold(COLLECT_AT_START)
    token = require_token(loaded).get_secret_value()
    configure_logging(loaded.config.log.format, loaded.config.log.level)
    _log_start(loaded)
    try:
        with uncaught_logged(), lock_data_folder(loaded.config.data_dir):
            _drop_staged_backup(loaded.config.data_dir)
            try:
                run_loop(_serve(loaded, token, plugins=plugins), _exit_ignored)
            except asyncio.CancelledError:
                raise _ended_from_within() from None
    except Exception as error:
        code, fault = (error.code, None) if isinstance(error, TgllmError) else (None, error)
        if not is_logged(error):
            log.error("bot.failed", error=str(error), code=code, exc_info=fault)
        raise
    finally:
        flush_logging()
    return 0


def _log_start(loaded: LoadedConfig) -> None:
    """Log versions, and which settings come from where; no values."""
    keys: dict[str, list[str]] = {}
    for key, source in loaded.sources.items():
        if source.kind != "default":
            keys.setdefault(source.kind, []).append(key)
    file = None if loaded.path is None else str(loaded.path)
    log.info("bot.starting", version=tgllm.__version__, python=platform.python_version(), file=file, settings=keys)


def _exit_ignored(error: BaseException) -> None:
    log.error("bot.exit_ignored", error=type(error).__name__, exc_info=error)


def _drop_staged_backup(data_dir: Path) -> None:
    """Finish a restore that was killed near its end, or remove what it has left: personal data, which take space."""
    from tgllm.services.backups.restoring import finish_if_readable  # noqa: PLC0415  only for a running bot
    from tgllm.services.backups.staging import drop_staged  # noqa: PLC0415  the same

    finish_if_readable(database_path(data_dir))
    drop_staged(database_path(data_dir))


def _warn_of_exposed_files(loaded: LoadedConfig) -> None:
    from tgllm.config.exposure import exposed_files  # noqa: PLC0415  only for a running bot

    for found in exposed_files(loaded):
        log.warning("files.exposed", path=str(found.path), problem=found.problem, mend_with=found.cure)


def _files_beside(data_dir: Path) -> tuple[str, ...]:
    return (LOCK_NAME,) if (data_dir / LOCK_NAME).exists() else ()


async def _serve(loaded: LoadedConfig, token: str, *, plugins: bool) -> None:
    from tgllm.observe.service_manager import service_manager  # noqa: PLC0415  shell commands need none
    from tgllm.observe.uncaught import log_loop_error  # noqa: PLC0415  the same
    from tgllm.plugins.holds.watch import HoldLimits, HoldWatch  # noqa: PLC0415  shell commands have no loop to watch

    stopping = Stopping()
    stop_on_signals(stopping)
    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    seconds = loaded.config.turns.stop_timeout + SHUTDOWN_SECONDS
    reporting = asyncio.create_task(_report_state(service_manager(), stopping, seconds), name="service manager")
    limits = HoldLimits(shutdown_seconds=loaded.config.turns.stop_timeout + HELD_SECONDS)
    watch = HoldWatch(SystemClock(), log, limits, stopping=lambda: stopping.requested)
    with watch.watching():
        try:
            async with (
                _traces(loaded.config),
                open_web_server(loaded.config, stopping=lambda: stopping.requested) as web,
                open_webhook_server(loaded.config) as hook,
                AsyncExitStack() as stack,
            ):
                runtime = await _open(stack, stopping, watch, loaded, token, web=web, plugins=plugins)
                if runtime is not None:
                    watch_runtime(runtime, web, hook)
                    noting = asyncio.create_task(_note_models(runtime.core), name="look at the models")
                    try:
                        await runtime.run(stopping.event)
                    finally:
                        noting.cancel()
                        await asyncio.wait({noting})
        finally:
            reporting.cancel()
            await asyncio.wait({reporting})
            await _leave_strays()
    log.info("bot.stopped")
    if not stopping.requested:
        raise _ended_from_within()


async def _report_state(manager: "ServiceManager", stopping: Stopping, seconds: float) -> None:
    """Send the service manager signs of life until cancelled, and a notice of the shutdown, which may take so long."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(manager.run_watchdog(SystemClock()), name="signs of life")
        manager.starting("opening the database and the plugins")
        await stopping.event.wait()
        manager.stopping("finishing running answers", seconds)


async def _note_models(core: "Core") -> None:
    """Log if the default model can't answer, or only repeats the question; choosing another one in a chat works."""
    from tgllm.services.models.readiness import look_at_models  # noqa: PLC0415  only for a running bot

    found = await look_at_models(core.registry, core.database, core.config.default_model)
    for sentence in found.sentences(Catalogue()):
        log.warning("models.not_ready", model=found.model, hint=sentence)


def _ended_from_within() -> PluginError:
    # Exit code 0 would mean to a supervisor that the bot is not to be started again.
    return PluginError(
        "The bot has ended although nothing requested it: its tasks were cancelled, probably by code of a plugin. "
        "Start it again; nothing that was stored is lost."
    )


async def _open(
    stack: AsyncExitStack,
    stopping: Stopping,
    watch: "HoldWatch",
    loaded: LoadedConfig,
    token: str,
    *,
    web: "Web | None",
    plugins: bool,
) -> "BotRuntime | None":
    """Open everything; return None on a shutdown request, which interrupts the wait for an unreachable Telegram."""
    try:
        async with stopping.interrupts():
            core = await enter_core(stack, loaded, plugins=plugins)
            _log_plugins(core)
            if web is not None:
                stack.enter_context(web.watching(core.database, core.host))
            # After the plugins are loaded, which know their secret files.
            await asyncio.to_thread(_warn_of_exposed_files, loaded)
            runtime = await stack.enter_async_context(open_bot(core, token, watch))
    except TimeoutError:
        if stopping.event.is_set():
            return None
        raise
    # Objects created so far live as long as the program, so the garbage collector need not scan them again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    return runtime


def _log_plugins(core: "Core") -> None:
    records = core.host.records
    active = {plugin.id: plugin.version for plugin in records if plugin.state == "active"}
    log.info("plugins.loaded", plugins=active, inactive={p.id: p.state for p in records if p.id not in active})


async def _leave_strays() -> None:
    """Cancel the remaining tasks, and abandon those that ignore their cancellation, such as plugin code."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    _, strays = await asyncio.wait(tasks, timeout=STRAY_SECONDS)
    for task in strays:
        log.warning("bot.task_left", task=task.get_name())
        # asyncio.run would wait for it forever. Python: Extending, Task lifetime support.
        asyncio._unregister_task(task)  # noqa: SLF001  documented for this purpose
