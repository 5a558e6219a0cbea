"""Times of the running bot's jobs, for display."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["JobTimes", "ListJobs"]


@dataclass(frozen=True, slots=True)
class JobTimes:
    """A job of the scheduler, and its next run."""

    id: str
    """Name of the job in the table ``schedules``."""
    cron: str
    """Five cron fields, in the bot's time zone."""
    due: float | None
    """Time of the next run (UTC, in seconds); None if unknown, or if there is none."""


ListJobs = Callable[[], Sequence[JobTimes]]
"""Function that returns the current jobs."""
