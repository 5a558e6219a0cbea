"""Jobs: what is to be done, when, and for how long at most."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo

from tgllm.api.errors import ConfigError, ProviderError
from tgllm.config.checks import zone
from tgllm.plugins.host import PluginHost
from tgllm.plugins.owned import OwnedJob
from tgllm.scheduler.clock import Cron
from tgllm.services.core import Core
from tgllm.services.maintenance.retention import Retention

__all__ = ["REFRESH_JOB", "RETENTION_JOB", "Job", "jobs_of", "refresh_times"]

REFRESH_JOB = "models.refresh"
"""No plugin's job can be called so: their ids have no dot of their own."""
RETENTION_JOB = "data.retention"
EVERY_HOUR = "23 * * * *"
"""A minute at which little else is due."""
OFF = "off"


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done at set times."""

    id: str
    """Names its runs in the database."""
    cron: Cron
    run: Callable[[], Awaitable[object]]
    seconds: float
    """That it may take."""
    at_first_start: bool = False
    """Whether it is also done at once where it was never done before."""
    wanted: Callable[[], bool] = lambda: True
    """Whether it is still to be done."""


def refresh_times(cron: str, time_zone: str) -> Cron | None:
    """When the lists of models are refreshed, by the settings; None where that is switched off.

    Raises:
        ConfigError: the expression is wrong.
    """
    if cron.lower() == OFF:
        return None
    try:
        return Cron.parse(cron, zone(time_zone))
    except ConfigError as error:
        raise ConfigError(f"refresh_cron (REFRESH_CRON): {error}") from None


def jobs_of(core: Core) -> tuple[Job, ...]:
    """All jobs of the bot; a plugin whose job has a wrong cron expression is quarantined.

    Raises:
        ConfigError: the cron expression in the settings is wrong.
    """
    times = refresh_times(core.config.refresh_cron, core.config.time_zone)
    own = [] if times is None else [_refresh(core, times)]
    return (*own, _retention(core), *_plugin_jobs(core.host, zone(core.config.time_zone)))


def _refresh(core: Core, times: Cron) -> Job:
    async def run() -> None:
        report = await core.models.pull_and_sync_models(announce=True)
        if report.failed:
            raise ProviderError("; ".join(f"{failed.provider}: {failed.reason}" for failed in report.failed))

    # Each provider has limits of its own; this one is for all of them together.
    return Job(REFRESH_JOB, times, run, seconds=600.0, at_first_start=True)


def _retention(core: Core) -> Job:
    config = core.config
    retention = Retention(core.database, config.data_dir, core.clock, config.retention, config.access, core.unconfirmed)
    times = Cron.parse(EVERY_HOUR, zone(config.time_zone))
    return Job(RETENTION_JOB, times, retention.clean, seconds=600.0)


def _plugin_jobs(host: PluginHost, time_zone: tzinfo) -> Iterator[Job]:
    for owned in host.jobs:
        try:
            cron = Cron.parse(owned.job.cron, time_zone)
        except ConfigError as error:
            # The host has counted the fields; what they mean is known here alone.
            host.quarantine(owned.plugin_id, f"the cron of job {owned.job.id}: {error}")
            continue
        yield _plugin_job(host, owned, cron)


def _plugin_job(host: PluginHost, owned: OwnedJob, cron: Cron) -> Job:
    job, context = owned.job, owned.context
    return Job(
        f"{owned.plugin_id}.{job.id}",
        cron,
        lambda: job.run(context),
        job.timeout,
        wanted=lambda: owned in host.jobs,
    )
