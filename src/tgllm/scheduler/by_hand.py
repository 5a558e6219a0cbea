"""Runs of plugins' jobs apart from their times, for tests of plugins."""

from collections.abc import Iterable, Sequence
from contextlib import aclosing

from tgllm.api import PluginError
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut
from tgllm.plugins.calls.runner import HookRunner
from tgllm.scheduler.jobs import Job
from tgllm.scheduler.one_shot import OneShotJobs
from tgllm.scheduler.scheduler import GRACE_SECONDS

__all__ = ["JobsByHand"]


class JobsByHand:
    """Scheduled jobs and one-shot jobs by their ids."""

    def __init__(self, jobs: Iterable[Job], one_shot: OneShotJobs) -> None:
        """Create the collection from all jobs of a bot."""
        self._jobs = [job for job in jobs if job.plugin_id is not None]
        self._one_shot = one_shot

    async def run(self, job_id: str) -> None:
        """Run a job now, and wait for its end; the bot's clock stays as it is.

        Args:
            job_id: the ``id`` of a ``JobSpec``, or that of a one-shot job, whose next attempt is made.

        Raises:
            LookupError: there is no such job.
            Exception: what the job has raised.
        """
        outcomes: list[Outcome[object]] = [await _run(job) for job in self._named(job_id)]
        one_shot = await self._one_shot.run_now(job_id)
        outcomes += [] if one_shot is None else [one_shot]
        if not outcomes:
            known = sorted({_own_id(job) for job in self._jobs} | set(await self._one_shot.ids()))
            raise LookupError(f"there is no job {job_id!r}; the jobs are: {', '.join(known) or 'none'}")
        for outcome in outcomes:
            _raise_failure(job_id, outcome)

    def _named(self, job_id: str) -> Sequence[Job]:
        return [job for job in self._jobs if job_id in {_own_id(job), job.id} and job.wanted()]


def _own_id(job: Job) -> str:
    """Return the id that the plugin has given to a job."""
    return job.id.removeprefix(f"{job.plugin_id}.")


async def _run(job: Job) -> Outcome[object]:
    async with aclosing(HookRunner(job.seconds, GRACE_SECONDS)) as runner:
        return await job.call(runner)


def _raise_failure(job_id: str, outcome: Outcome[object]) -> None:
    match outcome:
        case Returned():
            return
        case Raised(error):
            raise error
        case TimedOut(seconds):
            raise PluginError(f"the job {job_id} did not end within {seconds:g} s")
