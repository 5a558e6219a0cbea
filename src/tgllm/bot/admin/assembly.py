"""Admin table of the bot, as a chat command and as a button action."""

from collections.abc import Iterator

from tgllm.bot.admin.guard import ask_password
from tgllm.bot.admin.menu import menu_rows
from tgllm.bot.admin.screen import WORD
from tgllm.bot.admin.screens.access import access_rows
from tgllm.bot.admin.screens.audit import audit_rows
from tgllm.bot.admin.screens.backup import backup_rows
from tgllm.bot.admin.screens.broadcast import broadcast_rows
from tgllm.bot.admin.screens.budget import budget_rows
from tgllm.bot.admin.screens.errors import errors_rows
from tgllm.bot.admin.screens.groups import group_rows
from tgllm.bot.admin.screens.invites import invite_rows
from tgllm.bot.admin.screens.jobs import jobs_rows
from tgllm.bot.admin.screens.models import models_rows
from tgllm.bot.admin.screens.planned_jobs import planned_rows
from tgllm.bot.admin.screens.plugins import plugins_rows
from tgllm.bot.admin.screens.stats import stats_rows
from tgllm.bot.admin.screens.tools import tools_rows
from tgllm.bot.admin.screens.user_card import user_rows
from tgllm.bot.admin.screens.users import users_rows
from tgllm.bot.admin.table import AdminCommand, AdminTable
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.i18n import Catalogue

__all__ = ["admin_commands", "admin_presses", "admin_rows", "admin_table"]


def admin_rows() -> Iterator[AdminCommand]:
    """Yield the rows of all modules, in the order of the menu."""
    yield from stats_rows()
    yield from users_rows()
    yield from user_rows()
    yield from access_rows()
    yield from invite_rows()
    yield from group_rows()
    yield from budget_rows()
    yield from models_rows()
    yield from plugins_rows()
    yield from tools_rows()
    yield from jobs_rows()
    yield from planned_rows()
    yield from errors_rows()
    yield from audit_rows()
    yield from broadcast_rows()
    yield from backup_rows()


def admin_table() -> AdminTable:
    """Return the table with its menu and the password guard."""
    rows = tuple(admin_rows())
    menu, listing = menu_rows(rows)
    return AdminTable((menu, *rows, listing), guard=ask_password)


def admin_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    table = admin_table()

    async def run(scope: Scope, command: ParsedCommand) -> None:
        await table.run(scope, command.args)

    return (TableCommand("admin", lambda language: texts("command.admin", language), "admin", run, reads="bare"),)


def admin_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    table = admin_table()

    async def run(scope: Scope, pressed: Pressed) -> str:
        return await table.run(scope, pressed.argument, pressed)

    return (PressAction(WORD, run, "admin"),)
