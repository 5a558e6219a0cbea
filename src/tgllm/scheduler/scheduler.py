"""Scheduler that runs each job once for each due time, catches up on missed times once, and never overlaps runs."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing

from tgllm.api import PluginError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import schedules
from tgllm.db.tables.schedules import FinalState, Run
from tgllm.observe.logs import get_logger, log_values
from tgllm.observe.metrics.table import JOBS
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut, contract_error, explain
from tgllm.plugins.calls.places import place_of_function
from tgllm.plugins.calls.runner import HookRunner
from tgllm.scheduler.jobs import Job
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.maintenance.job_times import JobTimes

__all__ = ["Scheduler"]

log = get_logger(__name__)

LONGEST_SLEEP_SECONDS = 300.0
"""Interval at which the clock is checked: it may be set, or the machine may have been suspended."""
GRACE_SECONDS = 5.0
"""Time limit for the clean-up of a cancelled job."""
KEPT_SECONDS = 90 * 86_400
"""Retention time of finished runs."""


class Scheduler:
    """Scheduler of a fixed set of jobs.

    A run is recorded before the job starts, under its due time. After a crash the same due time is therefore not run
    again, and the interrupted run is marked as such.
    """

    def __init__(self, database: Database, clock: Clock, jobs: Iterable[Job], errors: Reporter | None = None) -> None:
        """Create a scheduler; ``run`` starts it.

        Args:
            database: storage of the runs.
            clock: source of all times except for the time limits of jobs.
            jobs: jobs with unique ids.
            errors: where unexpected failures of jobs are reported; the log by default.
        """
        self._errors = errors or LoggedOnly()
        self._database = database
        self._clock = clock
        self._jobs = tuple(jobs)
        self._due: dict[str, float] = {}

    def times(self) -> Sequence[JobTimes]:
        """Return the wanted jobs with their next due times."""
        return [JobTimes(job.id, job.cron.text, self._due.get(job.id)) for job in self._jobs if job.wanted()]

    async def run(self) -> None:
        """Run the jobs at their times, until cancelled.

        Raises:
            DatabaseError: a run can't be recorded.
        """
        await self._database.write(self._recover)
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._repeat(job), name=f"job {job.id}")
            # Never resolved: without it, the group would end at once if there are no jobs.
            await asyncio.get_running_loop().create_future()

    def _recover(self, conn: Connection) -> None:
        now = milliseconds(self._clock)
        schedules.interrupt_running(conn, now)
        schedules.prune(conn, now - KEPT_SECONDS * 1000)

    async def _repeat(self, job: Job) -> None:
        """Run one job at its times; one task for each job, so that its runs never overlap."""
        last = await self._database.read(lambda conn: schedules.last(conn, job.id))
        due = self._first_due(job, last)
        while due is not None:
            self._due[job.id] = due
            due = await self._wait(job, due)
            if not job.wanted():
                return
            started = self._clock.now()
            await self._do(job, due)
            # All times missed during the run get one catch-up run: the first of them is due at once, and after the
            # catch-up run only times later than its start count.
            due = job.cron.next_after(max(due, started))
        self._due.pop(job.id, None)

    def _first_due(self, job: Job, last: Run | None) -> float | None:
        now = self._clock.now()
        if last is None:
            return now if job.at_first_start else job.cron.next_after(now)
        # At most now: a run recorded by a clock that was ahead must not delay the job.
        return job.cron.next_after(min(now, max(last.fire_time, last.started_at) / 1000))

    async def _wait(self, job: Job, due: float) -> float:
        """Wait for a due time, or for an earlier one if the clock is set back; return the time that has come."""
        while (left := due - self._clock.now()) > 0:
            await self._clock.sleep(min(left, LONGEST_SLEEP_SECONDS))
            due = min(due, job.cron.next_after(self._clock.now()) or due)
        return due

    async def _do(self, job: Job, due: float) -> None:
        """Run a job for one due time, unless there is a run for it already, and record the outcome."""
        fire_time, now = int(due * 1000), milliseconds(self._clock)
        if not await self._database.write(lambda conn: schedules.start(conn, job.id, fire_time, now)):
            return
        began = self._clock.monotonic()
        with log_values(job=job.id):
            async with aclosing(HookRunner(job.seconds, GRACE_SECONDS, storage=self._database.gate)) as runner:
                outcome = await job.call(runner)
            state, error = _ending(outcome)
            if state == "failed":
                self._report(job, outcome, error or "")
        JOBS.add(job.id, "ok" if state == "ok" else "failed")
        log.info("job.ended", job=job.id, outcome=state, duration_ms=round((self._clock.monotonic() - began) * 1000))
        end = milliseconds(self._clock)
        await self._database.write(lambda conn: schedules.finish(conn, job.id, fire_time, state, end, error))

    def _report(self, job: Job, outcome: Outcome[object], reason: str) -> None:
        """Log a failure that the job has named, and report any other one."""
        failure = outcome.error if isinstance(outcome, Raised) else PluginError(f"{job.id}: {reason}")
        if isinstance(outcome, Raised) and contract_error(failure) is not None:
            log.warning("job.failed", job=job.id, reason=reason)
        else:
            self._errors.report(
                failure, event="job.failed", plugin=job.plugin_id, job=job.id, at=place_of_function(job.run)
            )


def _ending(outcome: Outcome[object]) -> tuple[FinalState, str | None]:
    match outcome:
        case Returned():
            return "ok", None
        case Raised(error):
            return "failed", explain(error)
        case TimedOut(seconds):
            return "failed", f"it did not end within {seconds:g} s"
