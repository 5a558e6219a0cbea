"""Attempts of one-shot jobs: the call of the plugin's hook, and what follows its end."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final, cast

from tgllm.api import DatabaseError, DueJob, PluginError, RateLimited, UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import HOOK_OF, PluginJob
from tgllm.observe.logs import get_logger, log_values
from tgllm.observe.metrics.table import JOBS
from tgllm.plugins.calls.call_watch import CallWatch
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut, contract_error, explain
from tgllm.plugins.calls.places import place_of_function
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.roster import Bound
from tgllm.services.errors.reports import Reporter
from tgllm.services.people.standing import find_person

__all__ = ["PAUSES", "Attempts", "recover"]

log = get_logger(__name__)

PAUSES: Final = (60.0, 300.0, 1_800.0, 7_200.0)
"""Seconds from a failed attempt to the next one. When the last one fails, the job is given up."""
MOST_ATTEMPTS: Final = len(PAUSES) + 1
LONGEST_PAUSE: Final = 86_400.0
"""The longest pause that a plugin may ask for by ``retry_after``."""
JOB_SECONDS: Final = 600.0
"""Time limit of ``tgllm_job``."""
CALL_SECONDS: Final = 60.0
"""Time limit of the other hooks."""
GRACE_SECONDS: Final = 5.0
"""Time limit for the clean-up of a cancelled attempt."""


def recover(conn: Connection, now: int) -> Sequence[PluginJob]:
    """Take up the jobs that the end of an earlier process has interrupted; return those that are given up.

    The first interruption is probably not the job's fault, so it is made up at once. A job that ends the program each
    time would do so for ever.
    """
    spent: list[PluginJob] = []
    for job in jobs.started(conn):
        log.warning("job.interrupted", plugin=job.plugin_id, job=job.job_id, attempt=job.attempts)
        if job.attempts >= MOST_ATTEMPTS:
            jobs.finish(conn, job)
            spent.append(job)
        else:
            pause = PAUSES[job.attempts - 2] if job.attempts > 1 else 0.0
            jobs.retry(conn, job, now + int(pause * 1000), "the program ended during the attempt")
    return spent


@dataclass(frozen=True, slots=True)
class Attempts:
    """Runs single attempts of jobs that have been started."""

    database: Database
    clock: Clock
    errors: Reporter
    watch: CallWatch

    async def run(self, job: PluginJob, bound: Bound) -> Outcome[object]:
        """Call the hook of a started job, record whether the job is finished or retried, and return the call's outcome.

        Raises:
            DatabaseError: the outcome can't be recorded.
        """
        began = self.clock.monotonic()
        with log_values(job=job.job_id):
            try:
                outcome = await self._call(job, bound)
            except asyncio.CancelledError:
                # A shutdown: the attempt is repeated at the next start, and does not count. It does if that can't be
                # stored, as after a crash.
                with suppress(DatabaseError):
                    await self.database.write(lambda conn: jobs.put_back(conn, job), patient=False)
                raise
            result = "ok" if isinstance(outcome, Returned) else "failed"
            JOBS.add(f"{job.plugin_id}.{HOOK_OF[job.kind]}", result)
            duration = round((self.clock.monotonic() - began) * 1000)
            log.info(
                "job.ended",
                plugin=job.plugin_id,
                hook=HOOK_OF[job.kind],
                job=job.job_id,
                outcome=result,
                duration_ms=duration,
            )
            if isinstance(outcome, Returned):
                await self.database.write(lambda conn: jobs.finish(conn, job))
            else:
                await self._fail(job, outcome, place_of_function(bound.implementation.function))
            return outcome

    def give_up(self, spent: Sequence[PluginJob]) -> None:
        """Report jobs that have ended the program too often."""
        for job in spent:
            reason = f"the program has ended {job.attempts} times during the job {job.job_id} of {job.plugin_id}"
            self.errors.report(PluginError(reason), event="job.given_up", plugin=job.plugin_id, job=job.job_id)

    async def _call(self, job: PluginJob, bound: Bound) -> Outcome[object]:
        seconds = JOB_SECONDS if job.kind == "job" else CALL_SECONDS
        values = await self._values(job)
        async with aclosing(HookRunner(seconds, GRACE_SECONDS, storage=self.database.gate)) as runner:
            return await self.watch.call_aside(runner, bound.callee(), *bound.arguments(values))

    async def _values(self, job: PluginJob) -> Mapping[str, object]:
        now = milliseconds(self.clock)
        match job.kind:
            case "job":
                delay = max(0, now - job.due_at) / 1000
                due = DueJob(job.job_id, job.due_at / 1000, job.data, job.owner or None, job.attempts + 1, delay)
                return {"job": due}
            case "forget":
                known = await self.database.read(lambda conn: find_person(conn, job.owner, now))
                return {"user": known or UserInfo(job.owner, "", None)}
            case "chat_moved":
                moved = cast("Mapping[str, int]", job.data)
                return {"old": moved["old"], "new": moved["new"]}

    async def _fail(self, job: PluginJob, outcome: Outcome[object], at: str) -> None:
        """Plan the next attempt, or give the job up, and report the failure."""
        attempt, reason = job.attempts + 1, _reason(outcome)
        is_last = attempt >= MOST_ATTEMPTS
        pause = 0.0 if is_last else max(PAUSES[attempt - 1], _wanted_pause(outcome))
        run_at = milliseconds(self.clock) + int(pause * 1000)

        def unit(conn: Connection) -> bool:
            return jobs.finish(conn, job) if is_last else jobs.retry(conn, job, run_at, reason)

        is_planned = await self.database.write(unit)
        self._report(job, outcome, reason, at, is_given_up=is_last and is_planned)
        if is_planned and not is_last:
            log.warning(
                "job.retried", plugin=job.plugin_id, job=job.job_id, attempt=attempt, retry_in_seconds=round(pause)
            )

    def _report(self, job: PluginJob, outcome: Outcome[object], reason: str, at: str, *, is_given_up: bool) -> None:
        """Log a failure that the plugin has named and that is tried again, and report any other one."""
        error = outcome.error if isinstance(outcome, Raised) else PluginError(f"{HOOK_OF[job.kind]} {reason}")
        if is_given_up:
            self.errors.report(error, event="job.given_up", plugin=job.plugin_id, job=job.job_id, at=at)
        elif isinstance(outcome, Raised) and contract_error(error) is not None:
            log.warning("job.failed", plugin=job.plugin_id, job=job.job_id, reason=reason)
        else:
            self.errors.report(error, event="job.failed", plugin=job.plugin_id, job=job.job_id, at=at)


def _reason(outcome: Outcome[object]) -> str:
    match outcome:
        case Raised(error):
            return explain(error)
        case TimedOut(seconds):
            return f"did not end within {seconds:g} s"
        case Returned():
            return ""


def _wanted_pause(outcome: Outcome[object]) -> float:
    """Return the seconds after which a plugin asks to be called again; 0 if it does not."""
    error = contract_error(outcome.error) if isinstance(outcome, Raised) else None
    seconds = error.retry_after if isinstance(error, RateLimited) else None
    return min(seconds or 0.0, LONGEST_PAUSE)
