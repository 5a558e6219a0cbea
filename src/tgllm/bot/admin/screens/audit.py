"""Audit trail: who changed what, when, and from where."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tgllm.bot.admin.paging import read_page, split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand
from tgllm.bot.admin.words import home_button, joined, moment, person
from tgllm.bot.ui.keyboards import Button
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.db.tables.audit import AuditRow
from tgllm.db.tables.tools import trail
from tgllm.db.tables.users import User
from tgllm.services.common.text import one_line
from tgllm.services.people.names import chosen_name, named_group
from tgllm.services.people.search import find_person

__all__ = ["audit_rows"]

NAME = "audit"
MOST_DETAILS = 200
"""Most UTF-16 units of the values of a change."""
MOST_TARGET = 80
_BEFORE = "_before"


def audit_rows() -> tuple[AdminCommand, ...]:
    """Return the row for the admin table."""
    return (AdminCommand(NAME, _audit, usage="[<user>]", menu=True),)


async def _audit(call: AdminCall) -> Screen:
    """Show a page of all changes and calls of tools, or of those about one user."""
    who, number = split_page(call.argument)

    def read(conn: Connection) -> Screen:
        somebody = find_person(conn, who) if who else None
        target = None if somebody is None else str(somebody.id)

        def fetch(limit: int, offset: int) -> Sequence[AuditRow]:
            return trail.list_recent(conn, limit, target=target, offset=offset)

        page = read_page(trail.count(conn, target), number, fetch)
        title = call.text("admin.audit.title" if page.items else "admin.audit.none")
        entries = [_entry(call, conn, row) for row in page.items]
        back = home_button(call) if somebody is None else _card_button(call, somebody)
        return Screen(joined(title, *entries), [*turn_pages(page, NAME, target or ""), back])

    return await call.read(read)


def _card_button(call: AdminCall, user: User) -> Sequence[Button]:
    return [admin_button(call.text("admin.user.back", person=person(user)), "user", str(user.id))]


def _entry(call: AdminCall, conn: Connection, row: AuditRow) -> Iterator[str]:
    """Yield the time and actor of a change, then the change."""
    by = row.source if row.actor_id is None else f"{_name(conn, str(row.actor_id))}, {row.source}"
    yield f"{moment(call, row.at)} {by}"
    target = "" if row.target is None else f" {_name(conn, row.target)}"
    details = one_line(", ".join(_changes(call, row.details)), MOST_DETAILS)
    yield f"{row.action}{target}" + (f": {details}" if details else "")


def _name(conn: Connection, target: str) -> str:
    """Return the name of a target that is the id of a user or a group; any other target is returned on one line."""
    digits = target.removeprefix("-")
    number = int(target) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0
    if number < 0 and (group := groups.get(conn, number)) is not None:
        return named_group(group)
    user = users.get(conn, number)
    return chosen_name(target, MOST_TARGET) if user is None else person(user)


def _changes(call: AdminCall, details: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of a change, leaving out unchanged ones."""
    if "after" in details:
        before = "" if details.get("before") is None else f"{details['before']} → "
        after = "-" if details["after"] is None else details["after"]
        yield f"{details.get('limit', '')} {before}{after}".strip()
        return
    for name, value in details.items():
        if name.endswith(_BEFORE) or (name + _BEFORE in details and details[name + _BEFORE] == value):
            continue
        before = f"{details[name + _BEFORE]} → " if name + _BEFORE in details else ""
        if before or value is not None:
            yield f"{name} {before}{_value(call, name, value)}"


def _value(call: AdminCall, name: str, value: object) -> str:
    return moment(call, value) if name.endswith("_at") and isinstance(value, int) else str(value)
