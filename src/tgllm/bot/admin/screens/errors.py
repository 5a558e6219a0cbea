"""Recent errors, with the ids to search for in the log."""

from collections.abc import Sequence

from tgllm.bot.admin.paging import read_page, split_page, turn_pages
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import error_line, home_button, joined, moment
from tgllm.bot.ui.keyboards import Page
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import failures
from tgllm.db.queries.failures import Failure

__all__ = ["errors_rows"]

NAME = "errors"
MOST_ERROR = 300
"""Most UTF-16 units of an error, so that a page of them fits a message."""


def errors_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(NAME, _errors, menu=True),)


async def _errors(call: AdminCall) -> Screen:
    number = split_page(call.argument)[1]

    def read(conn: Connection) -> Page[Failure]:
        def fetch(limit: int, offset: int) -> Sequence[Failure]:
            return failures.recent(conn, limit, offset)

        return read_page(failures.count(conn), number, fetch)

    page = await call.read(read)
    title = call.text("admin.errors.title" if page.items else "admin.errors.none")
    entries = [_entry(call, failure) for failure in page.items]
    return Screen(joined(title, *entries), [*turn_pages(page, NAME), home_button(call)])


def _entry(call: AdminCall, failure: Failure) -> Sequence[str]:
    """Return time and id, then the error; the id is written as in a log line."""
    what = error_line(f"{failure.what}: {failure.error}", MOST_ERROR)
    return f"{moment(call, failure.at)} {failure.kind}={failure.id}", what
