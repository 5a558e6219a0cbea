"""Worker of one-shot jobs of plugins, and of the hooks that plugins still have to get."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tgllm.api import PluginError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import HOOK_OF, JobKind, PluginJob
from tgllm.plugins.calls.outcome import Outcome
from tgllm.plugins.host import PluginHost
from tgllm.plugins.roster import Bound
from tgllm.scheduler.attempts import Attempts, recover
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.errors.reports import LoggedOnly, Reporter

__all__ = ["OneShotJobs"]

LONGEST_SLEEP_SECONDS: Final = 300.0
"""Interval at which the clock is checked: it may be set, or the machine may have been suspended."""
MOST_PARALLEL: Final = 8
"""Attempts of one plugin at a time."""

_Key = tuple[str, str, int, str]
_Hooks = Mapping[JobKind, Bound]
_Ready = tuple[PluginJob, Bound]


@dataclass(frozen=True, slots=True)
class _Found:
    """Jobs that can be started, and when the next ones are due (UTC, in milliseconds)."""

    ready: Sequence[_Ready] = ()
    next_at: int | None = None


@dataclass(slots=True)
class _Running:
    """Attempts under way."""

    keys: set[_Key] = field(default_factory=set[_Key])

    def of(self, plugin_id: str) -> int:
        """Return how many there are of a plugin."""
        return sum(key[0] == plugin_id for key in self.keys)

    def blocks(self, job: PluginJob) -> bool:
        """Whether a job must wait: for its own earlier attempt, or to forget a person, for that person's jobs."""
        if job.kind != "forget":
            return job.key in self.keys
        return any(key[0] == job.plugin_id and key[2] == job.owner for key in self.keys)


class OneShotJobs:
    """Worker that starts each job once its time has come.

    Before the hook is called, the start is recorded, and afterwards the row is deleted. If the program ends in between,
    the next start finds the record and calls the hook again. Rows of plugins that are missing, disabled or quarantined
    stay.
    """

    def __init__(self, database: Database, clock: Clock, host: PluginHost, errors: Reporter | None = None) -> None:
        """Create the worker; ``run`` starts it.

        Args:
            database: where the jobs are.
            clock: source of all times except for the time limits.
            host: the plugins.
            errors: where unexpected failures are reported; the log by default.
        """
        self._database = database
        self._clock = clock
        self._host = host
        self._attempts = Attempts(database, clock, errors or LoggedOnly(), host.watch)
        self._wakeup = Wakeup()
        self._running = _Running()
        database.on_commit("jobs", self._wakeup.set)

    async def run(self) -> None:
        """Run the jobs at their times, until cancelled.

        Raises:
            DatabaseError: a job can't be read or recorded.
        """
        now = milliseconds(self._clock)
        self._attempts.give_up(await self._database.write(lambda conn: recover(conn, now)))
        async with asyncio.TaskGroup() as group:
            while True:
                found = await self._find()
                for job, bound in await self._start(found.ready):
                    group.create_task(self._run(job, bound), name=f"job {job.plugin_id}: {job.job_id}")
                await self._wakeup.wait_for(self._pause(found), self._clock)

    async def run_now(self, job_id: str) -> Outcome[object] | None:
        """Run the jobs with an id at once, whatever their times; for tests of plugins.

        Returns:
            How the last attempt ended; None if there is no such job.
        """
        outcome = None
        for plugin_id, hooks in self._hooks().items():
            if "job" in hooks:
                for job in await self._database.read(lambda conn, plugin=plugin_id: jobs.named(conn, plugin, job_id)):
                    outcome = await self._run_one(job, hooks["job"]) or outcome
        return outcome

    async def ids(self) -> Sequence[str]:
        """Return the ids of the jobs that have not ended; for tests of plugins."""
        return await self._database.read(jobs.all_ids)

    async def _run_one(self, job: PluginJob, bound: Bound) -> Outcome[object] | None:
        if self._running.blocks(job):
            raise PluginError(f"the job {job.job_id} already runs")
        started = await self._start([(job, bound)])
        return await self._run(job, bound) if started else None

    def _hooks(self) -> Mapping[str, _Hooks]:
        """Return the hooks of active plugins by id."""
        found: dict[str, dict[JobKind, Bound]] = {}
        for kind, hook in HOOK_OF.items():
            for bound in self._host.implementations(hook):
                found.setdefault(bound.plugin.id, {})[kind] = bound
        return found

    async def _find(self) -> _Found:
        hooks = self._hooks()
        if not hooks:
            return _Found()
        now = milliseconds(self._clock)

        def query(conn: Connection) -> _Found:
            ready: list[_Ready] = []
            times: list[int] = []
            for plugin_id, own in hooks.items():
                busy = self._running.of(plugin_id)
                # Jobs under way that were planned anew are among the rows, and can't be started yet.
                waiting = jobs.due(conn, plugin_id, own.keys(), now, MOST_PARALLEL + busy)
                free = [(job, own[job.kind]) for job in waiting if not self._running.blocks(job)]
                ready += free[: max(0, MOST_PARALLEL - busy)]
                if (next_at := jobs.next_at(conn, plugin_id, own.keys(), now)) is not None:
                    times.append(next_at)
            return _Found(ready, min(times, default=None))

        return await self._database.read(query)

    async def _start(self, ready: Sequence[_Ready]) -> Sequence[_Ready]:
        """Record the start of jobs, and return those that were not cancelled meanwhile."""
        if not ready:
            return ()
        now = milliseconds(self._clock)
        started = await self._database.write(lambda conn: [each for each in ready if jobs.start(conn, each[0], now)])
        self._running.keys.update(job.key for job, _ in started)
        return started

    async def _run(self, job: PluginJob, bound: Bound) -> Outcome[object]:
        try:
            return await self._attempts.run(job, bound)
        finally:
            self._running.keys.discard(job.key)
            self._wakeup.set()

    def _pause(self, found: _Found) -> float:
        if found.next_at is None:
            return LONGEST_SLEEP_SECONDS
        left = (found.next_at - milliseconds(self._clock)) / 1000
        return min(max(left, 0.0), LONGEST_SLEEP_SECONDS)
