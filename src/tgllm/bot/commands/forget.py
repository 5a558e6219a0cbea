"""The command ``/forget``: deletes the user's own data, after they confirm it."""

from collections.abc import Callable

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import Button, Menu, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import FORGET
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.queries.erasure import Erased
from tgllm.db.tables import outbox
from tgllm.i18n import Catalogue
from tgllm.services.personal_data.forget import clean_up, forget

__all__ = ["forget_commands", "forget_presses"]

VALID_SECONDS = 300
"""How long the button is valid."""
CANCEL = "-"
"""In place of the expiry time of the button: cancels the deletion."""


def forget_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (TableCommand("forget", lambda language: texts("command.forget", language), "user", _ask),)


def forget_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(FORGET, _pressed),)


async def _ask(scope: Scope, _command: ParsedCommand) -> None:
    """Explain what would be deleted and what not, with buttons to confirm and to cancel."""
    until = int(scope.clock.now()) + VALID_SECONDS
    buttons = [
        [Button(scope.text("forget.yes"), f"{FORGET}:{scope.user.id}:{until}")],
        [Button(scope.text("forget.no"), f"{FORGET}:{scope.user.id}:{CANCEL}")],
    ]
    await send_menu(scope, Menu(scope.text("forget.ask", time=scope.duration(VALID_SECONDS)), buttons))


async def _pressed(scope: Scope, pressed: Pressed) -> str:
    """Delete the data, if it is the user's own button and has not expired."""
    owner, _, until = pressed.argument.partition(":")
    if owner != str(scope.user.id):
        return scope.text("forget.not_yours")
    if until == CANCEL:
        await show_menu(scope, pressed, Menu(scope.text("forget.cancelled")))
    elif not (until.isdecimal() and len(until) < 12 and scope.clock.now() < int(until)):
        await show_menu(scope, pressed, Menu(scope.text("forget.expired")))
    else:
        await _forget(scope, pressed)
    return ""


async def _forget(scope: Scope, pressed: Pressed) -> None:
    core, found = scope.core, list[Erased]()
    await show_menu(scope, pressed, Menu(scope.text("forget.confirmed")), _effect(scope, found.append))
    for erased in found:
        # Turns in groups that wait for a card of the person.
        core.approvals.decided(erased.calls)
        await clean_up(core.database, core.clock, core.storage, erased)


def _effect(scope: Scope, keep: Callable[[Erased], None]) -> Unit:
    """Return the unit that deletes the data and reports what it has deleted."""
    now = scope.now

    def unit(conn: Connection) -> None:
        erased = forget(conn, scope.user.id, scope.actor, now, update_id=scope.row.update_id)
        if erased is not None:
            keep(erased)
            scope.core.approvals.settle(conn, erased.calls, now)
        outbox.add(conn, message_rows(scope.lane, _told(scope, erased)), now)

    return unit


def _told(scope: Scope, erased: Erased | None) -> str:
    if erased is None:
        return scope.text("forget.busy")
    return scope.text(
        "forget.done",
        conversations=erased.conversations,
        messages=erased.messages,
        files=erased.files,
        requests=erased.requests,
    )
