"""Menu of ``/admin``: a sentence and buttons for the screens; and the list of all commands with their arguments."""

from collections.abc import Iterator, Sequence

from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import HOME, AdminCall, AdminCommand
from tgllm.bot.admin.words import home_button
from tgllm.bot.ui.command_table import may_use
from tgllm.bot.ui.keyboards import Button

__all__ = ["menu_rows"]

COMMANDS = "commands"
COLUMNS = 2


def menu_rows(rows: Sequence[AdminCommand]) -> tuple[AdminCommand, AdminCommand]:
    """Return the row that shows the menu of these rows, and the row that lists them."""

    async def show(call: AdminCall) -> Screen:
        return Screen(call.text("admin.title"), _buttons(call, [*_usable(call, rows), listing]))

    async def list_all(call: AdminCall) -> Screen:
        return Screen("\n".join(_lines(call, _usable(call, rows))), [home_button(call)])

    listing = AdminCommand(COMMANDS, list_all, menu=True)
    return AdminCommand(HOME, show), listing


def _usable(call: AdminCall, rows: Sequence[AdminCommand]) -> Sequence[AdminCommand]:
    return [row for row in rows if may_use(call.user, row.access)]


def _lines(call: AdminCall, rows: Sequence[AdminCommand]) -> Iterator[str]:
    yield call.text("admin.commands.title")
    yield ""
    for row in rows:
        command = f"{row.name} {row.usage}".rstrip()
        yield call.text("admin.row", command=command, about=call.text(f"admin.{row.name}.about"))


def _buttons(call: AdminCall, rows: Sequence[AdminCommand]) -> Sequence[Sequence[Button]]:
    buttons = [admin_button(call.text(f"admin.{row.name}.label"), row.name) for row in rows if row.menu]
    return [buttons[first : first + COLUMNS] for first in range(0, len(buttons), COLUMNS)]
