"""Recent errors, with the ids to search for in the log."""

from collections.abc import Sequence

from tgllm.bot.admin.paging import read_page, split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import error_line, home_button, joined, moment
from tgllm.bot.ui.keyboards import Page
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import failures
from tgllm.db.queries.failures import Failure
from tgllm.db.tables import errors
from tgllm.db.tables.errors import ErrorPlace, ErrorRow
from tgllm.observe.errors import read_code, with_kind

__all__ = ["errors_rows"]

NAME = "errors"
MOST_CODE = 40
"""Most UTF-16 units of an unknown code that is repeated."""
MOST_LINE = 120
"""Most UTF-16 units of a line of a trace."""
MOST_PLACES = 5
"""Turns and updates that the details name."""
MOST_TRACE = 15
"""Lines of a trace that the details show."""
MOST_ERROR = 300
"""Most UTF-16 units of an error, so that a page of them fits a message."""


def errors_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(NAME, _errors, menu=True, usage="[code]"),)


async def _errors(call: AdminCall) -> Screen:
    """Show recent failures, or one kind of unexpected errors by its code."""
    words, number = split_page(call.argument)
    if words:
        return await _detail(call, words)

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
    known = failure.error_id is not None and failure.kind != "error_id"
    code = f" error_id={failure.error_id}" if known else ""
    return f"{moment(call, failure.at)} {failure.kind}={failure.id}{code}", what


async def _detail(call: AdminCall, words: str) -> Screen:
    code = read_code(words)

    def read(conn: Connection) -> tuple[ErrorRow | None, Sequence[ErrorPlace]]:
        row = None if code is None else errors.get(conn, code)
        return row, () if row is None else errors.places(conn, row.id, MOST_PLACES)

    row, places = await call.read(read)
    back = [[admin_button(call.text("admin.errors.back"), NAME)], home_button(call)]
    if row is None:
        return Screen(call.text("admin.errors.unknown", code=error_line(words, MOST_CODE)), back)
    report = call.core.error_texts.report(row, call.scope.language)
    return Screen(joined(*_facts(call, row), _trace(row), _places(call, places), report), back)


def _facts(call: AdminCall, row: ErrorRow) -> Sequence[Sequence[str]]:
    error = with_kind(row.kind, row.message)
    where = " ".join(part for part in (row.event, row.place and f"({row.place})") if part)
    whose = f"{row.plugin or 'tgllm'} {row.version}: {where}"
    first, last = moment(call, row.first_at), moment(call, row.last_at)
    times = call.text("admin.errors.times", count=row.times, first=first, last=last)
    return (row.id, error_line(error, MOST_ERROR)), (error_line(whose, MOST_ERROR), times)


def _trace(row: ErrorRow) -> Sequence[str]:
    return [error_line(line, MOST_LINE) for line in row.trace[-MOST_TRACE:]]


def _places(call: AdminCall, places: Sequence[ErrorPlace]) -> Sequence[str]:
    if not places:
        return ()
    found = [f"{moment(call, place.at)} {place.kind}={place.ref}" for place in places]
    return call.text("admin.errors.places"), *found
