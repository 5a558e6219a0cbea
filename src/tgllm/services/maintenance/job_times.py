"""When the jobs of the running bot are due, for those who look at them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["JobTimes", "ListJobs"]


@dataclass(frozen=True, slots=True)
class JobTimes:
    """A job that the scheduler does."""

    id: str
    """Names its runs in the table ``schedules``."""
    cron: str
    """The five cron fields, in the bot's time zone."""
    due: float | None
    """When it runs next (UTC, in seconds); None while that is not known, and where it never does again."""


ListJobs = Callable[[], Sequence[JobTimes]]
"""The jobs as they are now."""
