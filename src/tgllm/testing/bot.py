"""The real bot in this process with an emulator, for tests of the bot and of plugins in the bot."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock
from tgllm.app import open_bot, open_core, open_web_server, open_webhook_server, watch_runtime
from tgllm.config.load import LoadedConfig, load_config
from tgllm.plugins.discovery import FoundPlugin
from tgllm.services.bot_core import BotCore
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import ScriptedProvider
from tgllm.testing.talking import Talk

if TYPE_CHECKING:
    from tgllm.bot.runtime import BotRuntime

__all__ = ["RunningBot", "running_bot", "settings_for"]

_FAST: dict[str, object] = {
    "streaming.first_delay": 0.01,
    "streaming.draft_interval": 0.01,
    "streaming.edit_interval": 0.01,
    "sending.paced": False,
    "sending.poll_timeout": 5,
    "turns.stop_timeout": 2.0,
    # A test that waits for the next message of the bot wants the answer.
    "errors.notify": False,
}
"""Settings without the delays and notices that matter only for users and for Telegram."""


@dataclass(slots=True)
class RunningBot:
    """A running bot."""

    core: BotCore
    runtime: "BotRuntime"
    stopping: asyncio.Event
    task: asyncio.Task[None]
    web_port: int | None = None
    """Port of the web server, if the settings have one."""
    webhook_port: int | None = None
    """Port of the webhook, if the settings have one."""
    talking: Talk | None = None

    @property
    def talk(self) -> Talk:
        """What people say to the bot and press, and what it does then."""
        assert self.talking is not None  # noqa: S101  set by ``running_bot``
        return self.talking

    async def run_job(self, job_id: str) -> None:
        """Run a plugin's job now, and wait for its end.

        To have jobs run at their times instead, start the bot with a ``ManualClock``, and advance it.

        Args:
            job_id: the ``id`` of a ``JobSpec``, or that of a one-shot job, whose next attempt is made.

        Raises:
            LookupError: there is no such job.
            Exception: what the job has raised.
        """
        await self.runtime.run_job(job_id)

    async def stop(self) -> None:
        """Stop the bot gracefully, as SIGTERM does.

        Raises:
            TgllmError: the bot has failed with this error.
        """
        self.stopping.set()
        await self.task


def settings_for(
    emulator: Emulator,
    data_dir: Path,
    *,
    admins: Iterable[int] = (),
    environ: Mapping[str, str] | None = None,
    **settings: object,
) -> LoadedConfig:
    """Return settings of a bot that uses ``emulator`` and stores its files in ``data_dir``.

    Args:
        emulator: a running emulator.
        data_dir: a folder of the test.
        admins: ids of the owners.
        environ: environment variables, such as settings of plugins; none by default.
        settings: other settings, with ``__`` for a dot: ``turns__idle_timeout=0.1``, or of a plugin:
            ``plugins__tea__minutes=3``.
    """
    given = {key.replace("__", "."): value for key, value in settings.items()}
    of_plugins: dict[str, dict[str, object]] = {}
    for key in [key for key in given if key.startswith("plugins.")]:
        _, plugin, field = key.split(".", 2)
        of_plugins.setdefault(plugin, {})[field] = given.pop(key)
    flags: dict[str, object] = {
        "bot_token": emulator.token,
        "telegram_api": emulator.base_url,
        "data_dir": str(data_dir),
        "admin_ids": ",".join(map(str, admins)),
        **_FAST,
        **given,
    }
    loaded = load_config(flags, environ=environ or {}, cwd=data_dir)
    return replace(loaded, plugins=loaded.plugins.with_values(of_plugins)) if of_plugins else loaded


@asynccontextmanager
async def running_bot(
    emulator: Emulator,
    data_dir: Path,
    *,
    admins: Iterable[int] = (),
    provider: ScriptedProvider | None = None,
    plugins: Iterable[FoundPlugin] = (),
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    **settings: object,
) -> AsyncGenerator[RunningBot]:
    """Run the bot within the block; installed plugins are not loaded.

    Args:
        emulator: the emulated Telegram.
        data_dir: the data folder; with the same folder the bot is restarted.
        admins: ids of the owners.
        provider: the provider of the default model; the echo provider by default.
        plugins: additional plugins.
        clock: the clock of the bot.
        environ: see ``settings_for``.
        settings: see ``settings_for``.
    """
    found = [*plugins, *([provider.plugin] if provider is not None else [])]
    if provider is not None:
        settings.setdefault("default_model", "scripted/model")
    loaded = settings_for(emulator, data_dir, admins=admins, environ=environ, **settings)
    stopping = asyncio.Event()
    async with (
        open_web_server(loaded.config, clock, stopping.is_set) as web,
        open_webhook_server(loaded.config, clock) as hook,
        open_core(loaded, clock=clock, found=found) as core,
        open_bot(core, emulator.token) as runtime,
        AsyncExitStack() as stack,
    ):
        if web is not None:
            stack.enter_context(web.watching(core.database, core.host))
        watch_runtime(runtime, web, hook)
        task = asyncio.create_task(runtime.run(stopping), name="bot")
        try:
            ports = None if web is None else web.port, None if hook is None else hook.port
            yield RunningBot(runtime.core, runtime, stopping, task, *ports, Talk(emulator, runtime.core))
        finally:
            stopping.set()
            await task
