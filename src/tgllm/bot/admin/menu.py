"""Menu of ``/admin``: a line for each command, and buttons for the screens."""

from collections.abc import Iterator, Sequence

from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import HOME, AdminCall, AdminCommand
from tgllm.bot.ui.command_table import may_use
from tgllm.bot.ui.keyboards import Button

__all__ = ["menu_row"]

COLUMNS = 2


def menu_row(rows: Sequence[AdminCommand]) -> AdminCommand:
    """Return the row that shows the menu of these rows."""

    async def show(call: AdminCall) -> Screen:
        usable = [row for row in rows if may_use(call.user, row.access)]
        return Screen("\n".join(_lines(call, usable)), _buttons(call, [row for row in usable if row.menu]))

    return AdminCommand(HOME, show)


def _lines(call: AdminCall, rows: Sequence[AdminCommand]) -> Iterator[str]:
    yield call.text("admin.title")
    yield ""
    for row in rows:
        command = f"{row.name} {row.usage}".rstrip()
        yield call.text("admin.row", command=command, about=call.text(f"admin.{row.name}.about"))


def _buttons(call: AdminCall, rows: Sequence[AdminCommand]) -> Sequence[Sequence[Button]]:
    buttons = [admin_button(call.text(f"admin.{row.name}.label"), row.name) for row in rows]
    return [buttons[first : first + COLUMNS] for first in range(0, len(buttons), COLUMNS)]
