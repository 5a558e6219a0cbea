"""Groups: requested, approved and denied ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast, get_args

from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.admin.words import home_button, joined
from tgllm.bot.ui.keyboards import Button, page_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups
from tgllm.db.tables.groups import Group
from tgllm.services.access.groups import GroupVerdict
from tgllm.services.people.names import chosen_name

__all__ = ["group_rows"]

LIST: Final = "groups"
MOST_TITLE: Final = 40
"""Most UTF-16 units of a group's title."""
_SIGNS: Final = {"pending": "⏳", "active": "✅", "denied": "❌"}
_CHOICES: Final[dict[str, Sequence[GroupVerdict]]] = {
    "pending": ("approve", "deny"),
    "active": ("deny",),
    "denied": ("approve",),
}
_SIGN_OF: Final[dict[GroupVerdict, str]] = {"approve": "✅", "deny": "❌"}


def group_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(LIST, _groups, usage=f"[{'|'.join(get_args(GroupVerdict))} <group>]", menu=True),)


async def _groups(call: AdminCall) -> Result:
    """Show the groups, pending ones first, after a decision on one if it is given."""
    rest, number = split_page(call.argument)
    verdict, _, which = rest.partition(" ")
    decided = verdict in get_args(GroupVerdict) and which.removeprefix("-").isdecimal() and len(which) < 19

    def work(conn: Connection) -> Screen:
        if not decided:
            return _screen(call, groups.list_all(conn), number)
        decide = call.core.access.groups.decide_in
        done = decide(conn, int(which), cast("GroupVerdict", verdict), call.actor)
        return replace(_screen(call, groups.list_all(conn), number), after=done.enforce)

    return work


def _screen(call: AdminCall, found: Sequence[Group], number: int) -> Screen:
    page = page_of(found, number)
    title = call.text("admin.groups.title" if page.items else "admin.groups.none")
    lines = [f"{_SIGNS[group.status]} {_named(group)} ({group.id})" for group in page.items]
    buttons = [_buttons(group, page.number) for group in page.items]
    return Screen(joined(title, lines), [*buttons, *turn_pages(page, LIST), home_button(call)])


def _buttons(group: Group, number: int) -> Sequence[Button]:
    return [
        admin_button(f"{_SIGN_OF[verdict]} {_named(group)}", LIST, f"{verdict} {group.id} #{number + 1}")
        for verdict in _CHOICES[group.status]
    ]


def _named(group: Group) -> str:
    return chosen_name(group.title, MOST_TITLE) or str(group.id)
