"""Jobs of the bot and of plugins."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from functools import wraps

from tgllm.api.errors import ConfigError, ProviderError
from tgllm.config.checks import zone
from tgllm.plugins.calls.call_watch import Callee, CallWatch
from tgllm.plugins.calls.outcome import Outcome
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.host import PluginHost
from tgllm.plugins.owned import OwnedJob
from tgllm.scheduler.clock import Cron, backup_times, refresh_times
from tgllm.services.bot_core import BotCore
from tgllm.services.maintenance.retention import Retention

__all__ = ["BACKUP_JOB", "REFRESH_JOB", "RETENTION_JOB", "Job", "jobs_of"]

REFRESH_JOB = "models.refresh"
"""Id of the job; a plugin's job has the id ``<plugin id>.<job id>``."""
RETENTION_JOB = "data.retention"
BACKUP_JOB = "data.backup"
BACKUP_SECONDS = 3600.0
EVERY_HOUR = "23 * * * *"
"""Cron expression with a minute that few other jobs use."""


@dataclass(frozen=True, slots=True)
class Job:
    """Function that runs at scheduled times."""

    id: str
    """Id of its runs in the database."""
    cron: Cron
    run: Callable[[], Awaitable[object]]
    seconds: float
    """Time limit of a run."""
    at_first_start: bool = False
    """Whether it runs at once if it has never run before."""
    wanted: Callable[[], bool] = lambda: True
    """Returns False when the job must not run any more."""
    plugin_id: str | None = None
    """The plugin that it belongs to; None: the bot itself."""
    watch: CallWatch | None = None
    """Notes the runs of a plugin's job."""

    async def call(self, runner: HookRunner) -> Outcome[object]:
        """Run the job once."""
        if self.plugin_id is None or self.watch is None:
            return await runner.call(self.run)
        return await self.watch.call(runner, Callee(self.plugin_id, f"job {self.id}", self.run))


def jobs_of(core: BotCore) -> tuple[Job, ...]:
    """Return all jobs; a plugin whose job has an invalid cron expression is quarantined.

    Raises:
        ConfigError: a cron expression in the settings is invalid.
    """
    times = refresh_times(core.config.refresh_cron, core.config.time_zone)
    own = [] if times is None else [_refresh(core, times)]
    backup_cron, backups = backup_times(core.config.backups.schedule, core.config.time_zone), core.backups
    if backup_cron is not None and backups is not None:
        own.append(Job(BACKUP_JOB, backup_cron, lambda: backups.make_scheduled(core.texts), seconds=BACKUP_SECONDS))
    return (*own, _retention(core), *_plugin_jobs(core.host, zone(core.config.time_zone)))


def _refresh(core: BotCore, times: Cron) -> Job:
    async def run() -> None:
        report = await core.models.pull_and_sync_models(announce=True)
        if report.failed:
            raise ProviderError("; ".join(f"{failed.provider}: {failed.reason}" for failed in report.failed))

    # A limit for all providers together; each of them also has its own.
    return Job(REFRESH_JOB, times, run, seconds=600.0, at_first_start=True)


def _retention(core: BotCore) -> Job:
    config = core.config
    retention = Retention(core.database, core.storage, core.clock, config.retention, config.access, core.unconfirmed)
    times = Cron.parse(EVERY_HOUR, zone(config.time_zone))

    async def run() -> None:
        await retention.clean()

    return Job(RETENTION_JOB, times, run, seconds=600.0)


def _plugin_jobs(host: PluginHost, time_zone: tzinfo) -> Iterator[Job]:
    for owned in host.jobs:
        try:
            cron = Cron.parse(owned.job.cron, time_zone)
        except ConfigError as error:
            # The host checks only the number of fields.
            host.quarantine(owned.plugin_id, f"the cron of job {owned.job.id}: {error}", error)
            continue
        yield _plugin_job(host, owned, cron)


def _plugin_job(host: PluginHost, owned: OwnedJob, cron: Cron) -> Job:
    job, context = owned.job, owned.context

    @wraps(job.run)
    def run() -> Awaitable[object]:
        return job.run(context)

    return Job(
        f"{owned.plugin_id}.{job.id}",
        cron,
        run,
        job.timeout,
        wanted=lambda: owned in host.jobs,
        plugin_id=owned.plugin_id,
        watch=host.watch,
    )
