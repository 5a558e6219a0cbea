"""Scheduled and one-shot jobs of plugins."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from tgllm.api.types import Json

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext
    from tgllm.api.people import ChatInfo, UserInfo

__all__ = ["DueJob", "JobSpec", "Jobs", "PlannedJob"]

LATE_SECONDS = 60.0
"""A run that starts later than this after its due time is late."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A scheduled job. Runs missed while the bot was down are made up once; runs of a job never overlap."""

    id: str
    title: str
    cron: str
    """Five cron fields, in the bot's time zone."""
    run: Callable[["PluginContext[Any]"], Awaitable[None]]
    timeout: float = 600.0
    """In seconds."""


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A one-shot job that has not ended yet."""

    id: str
    """Unique among the plugin's jobs of the same owner."""
    due: float
    """When it is to run, UTC in seconds since 1970."""
    data: Json = None
    owner: int | None = None
    """Telegram's id of the person or group that it belongs to; None: the plugin itself."""
    attempts: int = 0
    """How often it was started already: more than 0 while it runs, and while it waits after a failure."""


@dataclass(frozen=True, slots=True)
class DueJob:
    """The run of a one-shot job, the argument of ``tgllm_job``."""

    id: str
    due: float
    """When it was to run, UTC in seconds since 1970; the same at each attempt."""
    data: Json = None
    owner: int | None = None
    """Telegram's id of the person or group that it belongs to; None: the plugin itself."""
    attempt: int = 1
    """1 for the first attempt. A later one follows a failure or the end of the program during an attempt."""
    delay: float = 0.0
    """Seconds from the due time to the start of this attempt."""

    @property
    def is_late(self) -> bool:
        """Whether it runs more than a minute after its due time, because the bot was down or an attempt has failed."""
        return self.delay > LATE_SECONDS


class Jobs(Protocol):
    """One-shot jobs of a plugin. Each calls the hook ``tgllm_job`` once its time has come, also after a restart.

    A job is in the database before ``at`` returns, and is removed when the hook has returned. If the program ends in
    between, the hook is called again; so what the hook does should be repeatable, such as a message with a key. If the
    hook fails, it is called again after 1, 5, 30 and 120 minutes; after the fifth failure the job is removed, and the
    admins get a report. A job whose time has passed, because the bot was down or the plugin missing, runs as soon as
    possible. Jobs start in the order of their due times, at most eight of a plugin at a time. Runs of one job never
    overlap.
    """

    async def at(self, time: datetime | float, job_id: str, data: Json = None) -> PlannedJob:
        """Plan a job, in place of one with the same id that has not ended; a time in the past means now.

        Args:
            time: a datetime with a time zone, or UTC in seconds since 1970.
            job_id: 1 to 128 characters.
            data: JSON of at most 16 KiB, handed to the hook.

        Raises:
            PluginError: an argument is invalid, or the plugin or the owner has too many jobs.
            DatabaseError: the database can't be written.
        """
        ...

    async def get(self, job_id: str) -> PlannedJob | None:
        """Return a job that has not ended, or None."""
        ...

    async def cancel(self, job_id: str) -> bool:
        """Remove a job that has not ended; return False if there is none. An attempt that has begun is not stopped."""
        ...

    async def list(self, prefix: str = "") -> Sequence[PlannedJob]:
        """Return the jobs that have not ended, by due time, whose ids begin with ``prefix``; without owners' jobs."""
        ...

    def of(self, owner: "UserInfo | ChatInfo | int") -> "Jobs":
        """Return the jobs of a person or group, with ids of their own.

        Those of a person are deleted with ``/forget``; those of a group follow it to its supergroup.

        Args:
            owner: the person, the chat, or Telegram's id of either.
        """
        ...
