"""One-shot jobs of a plugin."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.errors import PluginError
from tgllm.api.jobs import PlannedJob
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import Json
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import NewJob, PluginJob
from tgllm.plugins.loading.stored import checked_json, checked_text, opened, owner_id

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["PluginJobs", "planned"]

MOST_BYTES = 16 * 1024
"""Size of the data of a job."""
MOST_OF_PLUGIN = 10_000
MOST_OF_OWNER = 500
LONGEST_ID = 128
ROLE = "job's id"
"""What errors call the id."""
LATEST = 253_402_300_800.0
"""The end of the year 9999, the last one of ``datetime``."""


class PluginJobs:
    """One-shot jobs of a plugin: its own, or those of one person or group."""

    def __init__(
        self, plugin_id: str, database: "Database | None", clock: Clock, owner: int = 0, *, has_hook: bool = True
    ) -> None:
        """Create the view; without a database, each call raises DatabaseError.

        Args:
            plugin_id: the plugin.
            database: where the jobs are.
            clock: source of the present time.
            owner: Telegram id of the person or group; 0 for the plugin's own jobs.
            has_hook: whether the plugin implements ``tgllm_job``.
        """
        self._plugin = plugin_id
        self._open = database
        self._clock = clock
        self._owner = owner
        self._has_hook = has_hook

    def of(self, owner: UserInfo | ChatInfo | int) -> "PluginJobs":
        """Return the jobs of a person or group.

        Raises:
            PluginError: it is no person or group.
        """
        return PluginJobs(self._plugin, self._open, self._clock, owner_id(owner), has_hook=self._has_hook)

    async def at(self, time: datetime | float, job_id: str, data: Json = None) -> PlannedJob:
        """Plan a job, in place of one with the same id.

        Raises:
            PluginError: an argument is invalid, there are too many jobs, or the plugin has no ``tgllm_job``.
            DatabaseError: the database can't be written.
        """
        if not self._has_hook:
            raise PluginError(f"the plugin {self._plugin} has no tgllm_job, which would run the job {job_id!r}: add it")
        due = _seconds(time)
        _check_id(job_id)
        checked_json(data, f"the data of the job {job_id!r}", MOST_BYTES)
        job = NewJob(self._plugin, self._owner, job_id, data, math.ceil(due * 1000))
        stored = await opened(self._open).write(lambda conn: self._plan(conn, job))
        return planned(stored)

    async def get(self, job_id: str) -> PlannedJob | None:
        """Return a job that has not ended, or None.

        Raises:
            PluginError: the id is no text.
            DatabaseError: the database can't be read.
        """
        checked_text(job_id, ROLE)
        found = await opened(self._open).read(lambda conn: jobs.get(conn, self._plugin, self._owner, job_id))
        return None if found is None else planned(found)

    async def cancel(self, job_id: str) -> bool:
        """Remove a job that has not ended; return False if there is none.

        Raises:
            PluginError: the id is no text.
            DatabaseError: the database can't be written.
        """
        checked_text(job_id, ROLE)
        return await opened(self._open).write(lambda conn: jobs.cancel(conn, self._plugin, self._owner, job_id))

    async def list(self, prefix: str = "") -> Sequence[PlannedJob]:
        """Return the jobs that have not ended, by due time, whose ids begin with ``prefix``.

        Raises:
            PluginError: the prefix is no text.
            DatabaseError: the database can't be read.
        """
        checked_text(prefix, ROLE)
        found = await opened(self._open).read(lambda conn: jobs.list_of(conn, self._plugin, self._owner, prefix))
        return [planned(job) for job in found]

    def _plan(self, conn: Connection, job: NewJob) -> PluginJob:
        jobs.plan(conn, job, milliseconds(self._clock))
        self._check_number(conn)
        stored = jobs.get(conn, job.plugin_id, job.owner, job.job_id)
        assert stored is not None  # noqa: S101  just stored
        return stored

    def _check_number(self, conn: Connection) -> None:
        """Check the number of jobs; the error undoes the transaction."""
        if self._owner and jobs.count(conn, self._plugin, self._owner) > MOST_OF_OWNER:
            raise PluginError(
                f"the jobs of the plugin {self._plugin} for {self._owner} are more than {MOST_OF_OWNER:,}: "
                "cancel some of them, or wait until they have run"
            )
        if jobs.count(conn, self._plugin) > MOST_OF_PLUGIN:
            raise PluginError(
                f"the jobs of the plugin {self._plugin} are more than {MOST_OF_PLUGIN:,}: "
                "cancel some of them, or plan the next one when one has run"
            )


def planned(job: PluginJob) -> PlannedJob:
    """Return a stored job as plugins see it."""
    return PlannedJob(job.job_id, job.due_at / 1000, job.data, job.owner or None, job.attempts)


def _check_id(job_id: object) -> None:
    if not 0 < len(checked_text(job_id, ROLE)) <= LONGEST_ID:
        raise PluginError(f"the id of a job has 1 to {LONGEST_ID} characters, and not {len(str(job_id))}")


def _seconds(time: datetime | float) -> float:
    """Return a time as UTC in seconds since 1970.

    Raises:
        PluginError: it is no time, or not clear which one.
    """
    if isinstance(time, datetime):
        if time.tzinfo is None:
            raise PluginError(f"the time {time} has no time zone: add one, such as tzinfo=ctx.timezone")
        return max(time.timestamp(), 0.0)
    is_number = isinstance(time, int | float) and not isinstance(time, bool)  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
    # An int may be too large for a float.
    if not is_number or (isinstance(time, float) and not math.isfinite(time)):
        raise PluginError(f"{time!r} is no time: give a datetime with a time zone, or seconds since 1970")
    if time >= LATEST:
        raise PluginError("the time is after the year 9999: give seconds since 1970, not milliseconds")
    return float(max(time, 0))
