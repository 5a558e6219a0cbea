"""Scheduled jobs: last run, its result, and next run."""

from collections.abc import Iterator, Sequence

from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.screens.planned_jobs import PLANNED
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import error_line, home_button, joined, moment
from tgllm.bot.ui.keyboards import page_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import schedules
from tgllm.db.tables.plugins import jobs as plugin_jobs
from tgllm.db.tables.schedules import Run
from tgllm.i18n.durations import short_duration
from tgllm.services.maintenance.job_times import JobTimes

__all__ = ["jobs_rows"]

NAME = "jobs"
MOST_ERROR = 200
"""Most UTF-16 units of the error of a run."""


def jobs_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(NAME, _jobs, menu=True),)


async def _jobs(call: AdminCall) -> Screen:
    page = page_of(call.scope.parts.jobs(), split_page(call.argument)[1])

    def read(conn: Connection) -> tuple[Sequence[Run | None], int]:
        return [schedules.last(conn, job.id) for job in page.items], plugin_jobs.count_planned(conn)

    runs, planned = await call.scope.read(read)
    blocks = [_lines(call, job, run) for job, run in zip(page.items, runs, strict=True)]
    title = call.text("admin.jobs.title", zone=call.core.config.time_zone)
    more = [[admin_button(call.text("admin.jobs.planned", count=planned), PLANNED)]] if planned else []
    return Screen(joined(title, *blocks), [*turn_pages(page, NAME), *more, home_button(call)])


def _lines(call: AdminCall, job: JobTimes, run: Run | None) -> Iterator[str]:
    yield f"{job.id} ({job.cron})"
    yield call.text("admin.jobs.never") if run is None else _last(call, run)
    if job.due is not None and job.due * 1000 > call.now:
        yield call.text("admin.jobs.next", time=moment(call, job.due * 1000))


def _last(call: AdminCall, run: Run) -> str:
    state = call.text(f"admin.jobs.state_{run.state}")
    taken = "" if run.finished_at is None else f" {_taken(call, run.finished_at - run.started_at)}"
    error = "" if run.error is None else f": {error_line(run.error, MOST_ERROR)}"
    return call.text("admin.jobs.last", time=moment(call, run.started_at), outcome=f"{state}{taken}{error}")


def _taken(call: AdminCall, milliseconds: int) -> str:
    texts, language = call.scope.core.texts, call.scope.language
    return call.text("admin.jobs.taken", time=short_duration(texts, milliseconds / 1000, language, digits=1))
