"""Invite links: created, listed and revoked."""

from dataclasses import replace
from typing import Final

from tgllm.bot.admin.paging import split_page, turn_pages
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.admin.words import home_button, joined, moment
from tgllm.bot.ui.keyboards import page_of
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.traces import INVITE
from tgllm.db.tables import invites, outbox
from tgllm.db.tables.invites import Invite
from tgllm.services.messaging.memory_texts import MEMORY_MARK, MEMORY_TEXT
from tgllm.services.messaging.rows import message_row

__all__ = ["invite_rows"]

NEW: Final = "invite"
LIST: Final = "invites"
REVOKE: Final = "revoke"
DEFAULT_USES: Final = 1
DEFAULT_HOURS: Final = 24
CHOICES: Final = ((1, 24), (1, 24 * 7), (10, 24), (10, 24 * 7))
"""Links for which the list has buttons: number of users, and hours."""


def invite_rows() -> tuple[AdminCommand, ...]:
    """Return the rows for the admin table."""
    return (
        AdminCommand(NEW, _new, usage="[people] [hours]"),
        AdminCommand(LIST, _list, usage=f"[{REVOKE} <id>]", menu=True),
    )


async def _new(call: AdminCall) -> Result:
    """Create a link. It is sent as a separate message, whose outbox row does not contain it."""
    words = call.argument.split()
    if len(words) > 2 or not all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words):
        return Screen(call.text("admin.invite.how"))
    uses, hours = [*map(int, words), *(DEFAULT_USES, DEFAULT_HOURS)[len(words) :]]
    core = call.core

    def work(conn: Connection) -> Screen:
        made = core.access.invitations.create_in(conn, call.actor, uses, hours)
        until = moment(call, made.invite.expires_at)
        about = call.text("admin.invite.made", count=uses, until=until, id=made.invite.id)
        name = f"{INVITE}{made.invite.id}"
        extra = {MEMORY_TEXT: core.access.invitations.keep(made, call.scope.parts.username)}
        row = message_row(call.scope.lane, f"{about}\n\n{MEMORY_MARK}", extra)
        outbox.add(conn, [replace(row, turn_id=name)], call.now)
        return Screen(toast=call.text("admin.invite.sent"))

    return work


async def _list(call: AdminCall) -> Result:
    """Show the valid links, after revoking one if it is given."""
    rest, number = split_page(call.argument)
    word, _, which = rest.partition(" ")
    revoked = int(which) if word == REVOKE and which.isascii() and which.isdecimal() and len(which) < 10 else None

    def work(conn: Connection) -> Screen:
        if revoked is not None:
            call.core.access.invitations.revoke_in(conn, call.actor, revoked)
        return _screen(call, conn, number)

    return work


def _screen(call: AdminCall, conn: Connection, number: int) -> Screen:
    page = page_of(invites.list_open(conn, call.now), number)
    title = call.text("admin.invites.title" if page.items else "admin.invites.none")
    lines = [_line(call, invite) for invite in page.items]
    revoking = [
        [admin_button(f"❌ {invite.id}", LIST, f"{REVOKE} {invite.id} #{page.number + 1}")] for invite in page.items
    ]
    making = [admin_button(_choice(call, uses, hours // 24), NEW, f"{uses} {hours}") for uses, hours in CHOICES]
    return Screen(
        joined(title, lines),
        [*revoking, *turn_pages(page, LIST), making[:2], making[2:], home_button(call)],
    )


def _choice(call: AdminCall, uses: int, days: int) -> str:
    people, time = call.text("admin.invites.people", count=uses), call.text("admin.invites.days", count=days)
    return f"+ {people}, {time}"


def _line(call: AdminCall, invite: Invite) -> str:
    until = moment(call, invite.expires_at)
    return call.text("admin.invites.line", id=invite.id, left=invite.uses_left, uses=invite.uses, until=until)
