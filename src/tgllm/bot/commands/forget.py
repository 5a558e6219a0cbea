"""The command ``/forget``: deletes a person's own data, after they have confirmed it."""

from collections.abc import Callable

from tgllm.api.clock import milliseconds
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import UpdateScope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import Button, Menu, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import FORGET
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.queries.erasure import Erased
from tgllm.db.tables import outbox
from tgllm.i18n import Catalogue
from tgllm.services.common.actor import Actor
from tgllm.services.personal_data.forget import clean_up, forget

__all__ = ["forget_commands", "forget_presses"]

VALID_SECONDS = 300
"""How long the button can be pressed."""
CANCEL = "-"
"""In place of the time until which the button can be pressed: nothing is to be deleted."""


def forget_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """The rows for the command table."""
    return (TableCommand("forget", lambda language: texts("command.forget", language), "user", _ask),)


def forget_presses() -> tuple[PressAction, ...]:
    """The rows for the press table."""
    return (PressAction(FORGET, _pressed),)


async def _ask(scope: UpdateScope, _command: ParsedCommand) -> None:
    """Say what would be deleted and what not, with a button that does it."""
    until = int(scope.parts.core.clock.now()) + VALID_SECONDS
    buttons = [
        [Button(scope.text("forget.yes"), f"{FORGET}:{_user_id(scope)}:{until}")],
        [Button(scope.text("forget.no"), f"{FORGET}:{_user_id(scope)}:{CANCEL}")],
    ]
    await send_menu(scope, Menu(scope.text("forget.ask", minutes=VALID_SECONDS // 60), buttons))


async def _pressed(scope: UpdateScope, pressed: Pressed) -> str:
    """Delete, if it is the person's own button and not too old."""
    owner, _, until = pressed.argument.partition(":")
    if owner != str(_user_id(scope)):
        return scope.text("forget.not_yours")
    if until == CANCEL:
        await show_menu(scope, pressed, Menu(scope.text("forget.cancelled")))
    elif not (until.isdecimal() and len(until) < 12 and scope.parts.core.clock.now() < int(until)):
        await show_menu(scope, pressed, Menu(scope.text("forget.expired")))
    else:
        await _forget(scope, pressed)
    return ""


async def _forget(scope: UpdateScope, pressed: Pressed) -> None:
    core, found = scope.parts.core, list[Erased]()
    await show_menu(scope, pressed, Menu(scope.text("forget.confirmed")), _effect(scope, found.append))
    for erased in found:
        await clean_up(core.database, core.clock, core.config.data_dir, erased)


def _effect(scope: UpdateScope, keep: Callable[[Erased], None]) -> Unit:
    """The piece of work that deletes, and tells what it has deleted."""
    now, user_id = milliseconds(scope.parts.core.clock), _user_id(scope)

    def unit(conn: Connection) -> None:
        erased = forget(conn, user_id, Actor(user_id, "telegram"), now, update_id=scope.row.update_id)
        if erased is not None:
            keep(erased)
        outbox.add(conn, message_rows(scope.lane, _told(scope, erased)), now)

    return unit


def _told(scope: UpdateScope, erased: Erased | None) -> str:
    if erased is None:
        return scope.text("forget.busy")
    return scope.text(
        "forget.done",
        conversations=erased.conversations,
        messages=erased.messages,
        files=erased.files,
        requests=erased.requests,
    )


def _user_id(scope: UpdateScope) -> int:
    assert scope.user is not None  # noqa: S101  the access middleware has set it
    return scope.user.id
