"""The bot as a program: from the start until a signal stops it, and its exit code."""

import asyncio
import gc
import platform
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import tgllm
from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError, TgllmError
from tgllm.app import enter_core, open_bot, open_web_server, open_webhook_server, watch_runtime
from tgllm.config.load import LoadedConfig, require_token
from tgllm.config.model import Config
from tgllm.config.paths import database_path
from tgllm.db.engine.lock import lock_data_folder
from tgllm.i18n import Catalogue
from tgllm.observe.errors import is_logged
from tgllm.observe.logs import configure_logging, flush_logging, get_logger
from tgllm.shutdown import Stopping, run_loop, stop_on_signals

if TYPE_CHECKING:
    from tgllm.bot.runtime import BotRuntime
    from tgllm.observe.service_manager import ServiceManager
    from tgllm.plugins.holds.watch import HoldWatch
    from tgllm.services.core import Core
    from tgllm.web.open import Web

__all__ = ["run_bot"]

log = get_logger(__name__)

COLLECT_AFTER = (20_000, 20, 50)
"""Thresholds of Python's garbage collector (gc.set_threshold); with the default of 700, a turn costs 5 % more."""
COLLECT_AT_START = 300_000
"""The same until the bot runs: imports make objects that stay, and a search for garbage among them costs a tenth."""
HELD_SECONDS = 5.0
"""Added to ``turns.stop_timeout``: how long the event loop may be blocked during a shutdown before the process ends."""
SHUTDOWN_SECONDS = 40.0
"""Added to ``turns.stop_timeout``: how long a shutdown may take, with everything that has a time limit in it."""
STRAY_SECONDS = 2.0
"""Time limit for cancelled tasks to end at shutdown."""


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
        with uncaught_logged(), _own_data_folder(loaded.config):
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


@contextmanager
def _own_data_folder(config: Config) -> Generator[None]:
    """Keep other processes out of a folder that has the database; with one on a server, several may share it.

    Raises:
        TgllmError: another process uses the folder.
    """
    if config.database.url is not None:
        yield
        return
    with lock_data_folder(config.data_dir):
        _drop_staged_backup(config.data_dir)
        yield


def _drop_staged_backup(data_dir: Path) -> None:
    """Finish a restore that was killed near its end, or remove what it has left: personal data, which take space."""
    from tgllm.services.backups.restoring import finish_if_readable  # noqa: PLC0415  only for a running bot
    from tgllm.services.backups.staging import drop_staged  # noqa: PLC0415  only for a running bot

    finish_if_readable(database_path(data_dir))
    drop_staged(database_path(data_dir))


def _warn_of_exposed_files(loaded: LoadedConfig) -> None:
    from tgllm.config.exposure import exposed_files  # noqa: PLC0415  only for a running bot

    for found in exposed_files(loaded):
        log.warning("files.exposed", path=str(found.path), problem=found.problem, mend_with=found.cure)


def _traces(config: Config) -> AbstractAsyncContextManager[None]:
    """Return the export of traces, if the settings want it."""
    if not config.tracing.enabled:
        return nullcontext()
    from tgllm.observe.tracing.export import exported_traces  # noqa: PLC0415  seldom wanted

    return exported_traces(config.tracing.endpoint)


async def _serve(loaded: LoadedConfig, token: str, *, plugins: bool) -> None:
    from tgllm.observe.service_manager import service_manager  # noqa: PLC0415  shell commands need none
    from tgllm.observe.uncaught import log_loop_error  # noqa: PLC0415  shell commands need none
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
                        await runtime.run(stopping.event, _freeze_heap)
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
    """Log if the default model or a fallback can't answer, or the model only repeats the question."""
    from tgllm.services.models.readiness import look_at_fallbacks, look_at_models  # noqa: PLC0415  only for a bot

    found = await look_at_models(core.registry, core.database, core.config.default_model)
    for sentence in found.sentences(Catalogue()):
        log.warning("models.not_ready", model=found.model, hint=sentence)
    for model, reason in (await look_at_fallbacks(core.registry, core.database, core.config)).items():
        log.warning(
            "models.not_ready", model=model, hint=Catalogue()("shell.fallback_unknown", model=model, reason=reason)
        )


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
    return runtime


def _freeze_heap() -> None:
    """Let the garbage collector never again scan the objects created so far: they live as long as the program."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


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
