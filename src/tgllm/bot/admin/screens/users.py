"""Lists of users: all, by status, or by name."""

from collections.abc import Mapping, Sequence
from typing import Final, cast, get_args

from tgllm.bot.admin.paging import as_argument, split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import home_button, joined, person, standing
from tgllm.bot.ui.keyboards import MARK, Button, page_of
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import statistics
from tgllm.db.tables.users import Status, User
from tgllm.services.people.search import search_people

__all__ = ["LIST", "users_rows"]

LIST: Final = "users"
STATUSES: Final[Sequence[Status]] = get_args(Status)
COLUMNS = 2


def users_rows() -> tuple[AdminCommand, ...]:
    """Return the rows for the admin table."""
    return (AdminCommand(LIST, _users, usage=f"[{'|'.join(STATUSES)}|QUERY]", menu=True),)


async def _users(call: AdminCall) -> Screen:
    rest, number = split_page(call.argument)
    status = cast("Status", rest.casefold()) if rest.casefold() in STATUSES else None
    query = "" if status is not None else as_argument(rest)

    def read(conn: Connection) -> Screen:
        counts: dict[Status | None, int] = {None: statistics.known_people(conn), **statistics.people(conn)}
        return _screen(call, search_people(conn, status, query), number, status or query, counts)

    return await call.read(read)


def _screen(
    call: AdminCall, found: Sequence[User], number: int, rest: str, counts: Mapping[Status | None, int]
) -> Screen:
    page = page_of(found, number)
    title = call.text("admin.users.found", count=len(found))
    lines = [f"{person(user)}: {standing(call, user)}" for user in page.items]
    people = [[admin_button(person(user), "user", str(user.id))] for user in page.items]
    keyboard = [*people, *turn_pages(page, LIST, rest), *_filters(call, rest, counts), home_button(call)]
    return Screen(joined(title, lines, call.text("admin.users.hint")), keyboard)


def _filters(call: AdminCall, chosen: str, counts: Mapping[Status | None, int]) -> Sequence[Sequence[Button]]:
    """Return buttons for all users and for each status that occurs."""

    def button(status: Status | None) -> Button:
        label = call.text(f"admin.users.list_{status or 'all'}", count=counts[status])
        return admin_button((MARK if (status or "") == chosen else "") + label, LIST, status or "")

    buttons = [button(status) for status in (None, *STATUSES) if counts.get(status)]
    return [buttons[first : first + COLUMNS] for first in range(0, len(buttons), COLUMNS)]
