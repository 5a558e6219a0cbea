"""One-shot jobs of plugins: listed, and cancelled after a confirmation."""

from typing import Final

from tgllm.bot.admin.paging import read_page, split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.admin.words import error_line, home_button, joined, moment, person
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import PluginJob
from tgllm.services.common.actor import note

__all__ = ["PLANNED", "planned_rows"]

PLANNED: Final = "planned"
ASK: Final = "cancel"
CANCEL: Final = "confirm"
MOST_ID: Final = 40
"""Most UTF-16 units of a job's id in a line."""
_MOST_DIGITS: Final = 18


def planned_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(PLANNED, _planned),)


async def _planned(call: AdminCall) -> Result:
    rest, number = split_page(call.argument)
    word, _, which = rest.partition(" ")

    def work(conn: Connection) -> Screen:
        job = _named(conn, which)
        if word not in {ASK, CANCEL}:
            return _list(call, conn, number)
        if job is None:
            return _list(call, conn, number, toast=call.text("admin.planned.gone"))
        if word == ASK:
            return _question(call, conn, job)
        jobs.finish(conn, job)
        note(conn, call.actor, "job.cancel", f"{job.plugin_id}/{job.job_id}", call.now, {"owner": job.owner or None})
        return _list(call, conn, number, toast=call.text("admin.planned.cancelled"))

    return work


def _named(conn: Connection, which: str) -> PluginJob | None:
    """Return the job that a button names by its number and mark: one that was planned anew is another one."""
    words = which.split()
    if len(words) != 2 or not all(word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS for word in words):
        return None
    return jobs.by_number(conn, int(words[0]), int(words[1]))


def _list(call: AdminCall, conn: Connection, number: int, toast: str = "") -> Screen:
    page = read_page(jobs.count_planned(conn), number, lambda limit, offset: jobs.page_of_planned(conn, limit, offset))
    title = call.text("admin.planned.title" if page.items else "admin.planned.none", zone=call.core.config.time_zone)
    lines = [_line(call, conn, job) for job in page.items]
    cancelling = [[admin_button(f"❌ {job.id}", PLANNED, f"{ASK} {job.id} {job.mark}")] for job in page.items]
    return Screen(joined(title, lines), [*cancelling, *turn_pages(page, PLANNED), home_button(call)], toast)


def _question(call: AdminCall, conn: Connection, job: PluginJob) -> Screen:
    yes = admin_button(call.text("admin.planned.yes"), PLANNED, f"{CANCEL} {job.id} {job.mark}")
    no = admin_button(call.text("admin.planned.no"), PLANNED)
    return Screen(joined(call.text("admin.planned.ask"), _line(call, conn, job)), [[yes], [no], home_button(call)])


def _line(call: AdminCall, conn: Connection, job: PluginJob) -> str:
    """Return the job on one line, without its data, which may be what a person has written."""
    state = "" if job.started_at is None else call.text("admin.planned.running")
    if job.started_at is None and job.attempts:
        state = call.text("admin.planned.again", time=moment(call, job.run_at), attempts=job.attempts)
    line = call.text(
        "admin.planned.line",
        number=job.id,
        plugin=job.plugin_id,
        job=error_line(job.job_id, MOST_ID),
        time=moment(call, job.due_at),
        owner=_owner(call, conn, job.owner),
    )
    return f"{line} {state}".rstrip()


def _owner(call: AdminCall, conn: Connection, owner: int) -> str:
    if not owner:
        return call.text("admin.planned.itself")
    if owner > 0:
        user = users.get(conn, owner)
        return str(owner) if user is None else person(user)
    group = groups.get(conn, owner)
    return str(owner) if group is None else f"{error_line(group.title, MOST_ID)} ({owner})"
