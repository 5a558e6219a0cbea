"""The lists of models are refreshed at their time, the admins are told once, and plugins' jobs run as ours do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from database_support import runs_of_jobs
from tgllm import hookimpl
from tgllm.api import ConfigError, JobSpec, ModelInfo, PluginContext, PluginInfo, Unavailable
from tgllm.app import open_core
from tgllm.config.load import load_config
from tgllm.db.tables import models, outbox
from tgllm.db.tables.schedules import Run
from tgllm.scheduler.clock import refresh_times
from tgllm.scheduler.jobs import REFRESH_JOB, jobs_of
from tgllm.scheduler.scheduler import Scheduler
from tgllm.services.bot_core import BotCore, open_bot_core
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

Pass = Callable[..., Awaitable[None]]
Started = Callable[..., AbstractAsyncContextManager[BotCore]]

HOUR, DAY = 3600, 86_400
ANN = 7


class Changing(ScriptedProvider):
    """A provider whose list can change."""

    def __init__(self) -> None:
        super().__init__()
        self.models: Sequence[ModelInfo] | Exception = [ModelInfo("model")]

    async def list_models(self) -> Sequence[ModelInfo]:
        if isinstance(self.models, Exception):
            raise self.models
        return self.models


class Working:
    """A plugin with a job."""

    def __init__(self) -> None:
        self.ran: asyncio.Queue[str] = asyncio.Queue()

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="working", title="Working", api="1.0")

    @hookimpl
    def tgllm_jobs(self) -> Sequence[JobSpec]:
        return (JobSpec("work", "Work", "0 6 * * *", self.run),)

    async def run(self, ctx: PluginContext) -> None:
        self.ran.put_nowait(ctx.plugin_id)


@pytest.fixture
def provider() -> Changing:
    return Changing()


@pytest.fixture
def started(tmp_path: Path, clock: ManualClock, provider: Changing) -> Started:
    """A core whose scheduler runs while the block runs; a second one is a restart."""

    @asynccontextmanager
    async def start(*plugins: GivenPlugin, **settings: object) -> AsyncIterator[BotCore]:
        flags = {"data_dir": str(tmp_path), "admin_ids": str(ANN), "default_model": "scripted/model", **settings}
        loaded = load_config(flags, environ={}, cwd=tmp_path)
        async with (
            open_core(loaded, clock=clock, found=[provider.plugin, *plugins]) as base,
            open_bot_core(base) as core,
        ):
            await core.users.ensure_owners((ANN,))
            task = asyncio.create_task(Scheduler(core.database, clock, jobs_of(core)).run())
            try:
                yield core
            finally:
                task.cancel()
                await asyncio.wait({task})

    return start


async def refreshed(core: BotCore, count: int) -> Run:
    """The latest run of the refresh, once so many have ended."""
    while True:
        runs = await core.database.read(runs_of_jobs)
        done = [run for run in runs if run.job_id == REFRESH_JOB and run.state != "running"]
        if len(done) == count:
            return max(done, key=lambda run: run.fire_time)


async def listed(core: BotCore) -> list[str]:
    return [str(model.ref) for model in await core.database.read(lambda conn: models.list_all(conn, "scripted"))]


async def told(core: BotCore) -> list[tuple[int | None, str]]:
    rows = await core.database.read(lambda conn: [outbox.get(conn, number) for number in range(1, 9)])
    return [(row.chat_id, row.payload["text"]) for row in rows if row is not None]


async def test_the_table_is_updated_and_the_admin_told_once(
    started: Started, provider: Changing, pass_time: Pass
) -> None:
    async with started() as core:
        await refreshed(core, 1)
        assert await listed(core) == ["scripted/model"]
        assert await told(core) == []

        provider.models = [ModelInfo("model"), ModelInfo("better")]
        await pass_time(4 * HOUR, sleepers=2)
        await refreshed(core, 2)
        assert await listed(core) == ["scripted/better", "scripted/model"]
        assert await told(core) == [(ANN, "The models have changed.\nNew: scripted/better")]

        await pass_time(DAY, sleepers=2)
        await refreshed(core, 3)
        assert len(await told(core)) == 1


async def test_after_downtime_it_is_made_up_once(
    started: Started, provider: Changing, pass_time: Pass, clock: ManualClock
) -> None:
    async with started() as core:
        await refreshed(core, 1)
    await clock.advance(3 * DAY)
    provider.models = [ModelInfo("better")]
    for _ in range(2):
        async with started() as core:
            await refreshed(core, 2)
            await pass_time(HOUR, sleepers=2)
            assert len(await told(core)) == 1


async def test_a_provider_that_fails_is_no_news(started: Started, provider: Changing, pass_time: Pass) -> None:
    async with started() as core:
        await refreshed(core, 1)
        provider.models = Unavailable("out of order")
        await pass_time(4 * HOUR, sleepers=2)
        run = await refreshed(core, 2)

        assert (run.state, run.error) == ("failed", "ProviderError: scripted: out of order")
        assert await listed(core) == ["scripted/model"]
        assert await told(core) == []


async def test_at_the_time_that_is_set_in_the_zone_that_is_set(
    started: Started, provider: Changing, pass_time: Pass, clock: ManualClock
) -> None:
    async with started(refresh_cron="30 9 * * *", time_zone="Asia/Tokyo") as core:
        first = await refreshed(core, 1)
        await pass_time(HOUR, sleepers=2)
        second = await refreshed(core, 2)

    assert second.fire_time - first.fire_time == HOUR / 2 * 1000


async def test_it_can_be_switched_off(started: Started, pass_time: Pass) -> None:
    working = Working()
    async with started(GivenPlugin.of("working", working), refresh_cron="OFF") as core:
        await pass_time(6 * HOUR, sleepers=2)
        await working.ran.get()
        assert await listed(core) == []


async def test_a_plugins_job_runs_with_its_context(started: Started, pass_time: Pass) -> None:
    working = Working()
    async with started(GivenPlugin.of("working", working)) as core:
        await refreshed(core, 1)
        await pass_time(4 * HOUR, sleepers=3)
        await refreshed(core, 2)
        await pass_time(2 * HOUR, sleepers=3)
        assert await working.ran.get() == "working"


async def test_a_job_of_a_plugin_in_quarantine_is_not_run(started: Started, pass_time: Pass) -> None:
    working = Working()
    async with started(GivenPlugin.of("working", working)) as core:
        await refreshed(core, 1)
        core.host.quarantine("working", "it broke")
        await pass_time(4 * HOUR, sleepers=3)
        await refreshed(core, 2)
        await pass_time(DAY, sleepers=3)
        await refreshed(core, 3)

    assert working.ran.empty()


def test_a_wrong_expression_is_told_with_its_setting() -> None:
    with pytest.raises(ConfigError, match=r"refresh_cron \(REFRESH_CRON\): 'daily' is no cron expression"):
        refresh_times("daily", "UTC")


async def test_a_wrong_expression_keeps_the_bot_from_starting(started: Started) -> None:
    with pytest.raises(ConfigError, match="refresh_cron"):
        async with started(refresh_cron="61 * * * *"):
            pass
