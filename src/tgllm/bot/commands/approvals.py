"""Approvals of further calls that a person has given: the command ``/approvals``, and buttons that take them back."""

from collections.abc import Sequence
from hashlib import sha256

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.config.checks import zone
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import grants as tool_grants
from tgllm.db.tables.tools.grants import Grant
from tgllm.i18n import Catalogue
from tgllm.services.tools.cards import clock_time
from tgllm.services.tools.grants import take_back

__all__ = ["approval_commands", "grant_presses"]

HOME = "grants"
"""First word of the data of the button that shows a page of the list; its number and the person's id follow."""
TAKE = "ungrant"
"""The same for taking an approval back; a short name of it follows, and the person's id."""


def approval_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (
        TableCommand("approvals", lambda language: texts("command.approvals", language), "user", _list, reads="always"),
    )


def grant_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HOME, _page, needs_place=False), PressAction(TAKE, _take, needs_place=False))


async def _list(scope: Scope, _command: ParsedCommand) -> None:
    await send_menu(scope, _menu(scope, await scope.read(lambda conn: _grants(scope, conn)), 0))


async def _page(scope: Scope, pressed: Pressed) -> str:
    number, owner = _read(pressed)
    if owner != str(scope.user.id):
        return scope.text("approvals.foreign")
    known = await scope.read(lambda conn: _grants(scope, conn))
    await show_menu(scope, pressed, _menu(scope, known, page_number(number)))
    return ""


async def _take(scope: Scope, pressed: Pressed) -> str:
    """Take an approval back; only that of the person who presses."""
    name, owner = _read(pressed)
    if owner != str(scope.user.id):
        return scope.text("approvals.foreign")
    known = await scope.read(lambda conn: _grants(scope, conn))
    gone = next((grant for grant in known if _key(grant) == name), None)
    left = [grant for grant in known if grant is not gone]
    if gone is None:
        await show_menu(scope, pressed, _menu(scope, left, 0))
        return scope.text("approvals.gone")
    await show_menu(scope, pressed, _menu(scope, left, 0), lambda conn: take_back(conn, gone, scope.actor, scope.now))
    return scope.text("approvals.taken", tool=gone.tool)


def _read(pressed: Pressed) -> tuple[str, str]:
    name, _, owner = pressed.argument.partition(":")
    return name, owner


def _grants(scope: Scope, conn: Connection) -> Sequence[Grant]:
    return tool_grants.of_person(conn, scope.user.id, scope.now)


def _menu(scope: Scope, known: Sequence[Grant], number: int) -> Menu:
    """Return a page of the approvals, with a button for each."""
    if not known:
        return Menu(scope.text("approvals.none"))
    page, person = page_of(known, number), scope.user.id
    lines = [f"• {_line(scope, grant)}" for grant in page.items]
    rows = [[Button(f"✕ {grant.tool}", f"{TAKE}:{_key(grant)}:{person}")] for grant in page.items]
    turn = pager(page, lambda to: f"{HOME}:{to}:{person}")
    return Menu("\n".join([scope.text("approvals.title"), "", *lines]), [*rows, *turn])


def _line(scope: Scope, grant: Grant) -> str:
    title = scope.core.host.title_of(grant.plugin_id)
    if grant.until is None:
        return scope.text("approvals.always", tool=grant.tool, plugin=title)
    here = "here" if grant.lane == scope.lane.key else "elsewhere"
    time = clock_time(grant.until, zone(scope.user.timezone or scope.config.time_zone))
    return scope.text(f"approvals.{here}", tool=grant.tool, plugin=title, time=time)


def _key(grant: Grant) -> str:
    return sha256(f"{grant.plugin_id}:{grant.tool}:{grant.lane}".encode()).hexdigest()[:16]
