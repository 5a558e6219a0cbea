"""The command ``/system``: the chat's own system prompt."""

from dataclasses import replace

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.db.tables import conversations
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import change_settings, settings_of

__all__ = ["system_commands"]

NONE = "-"
"""Argument that removes the instruction."""


def system_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (TableCommand("system", lambda language: texts("command.system", language), "user", _system, reads="bare"),)


async def _system(scope: Scope, command: ParsedCommand) -> None:
    """Show, set or remove the chat's instruction."""
    if not command.args:
        await scope.reply(await _shown(scope))
        return
    instruction = None if command.args == NONE else command.markdown
    text = scope.text("persona.system_cleared" if instruction is None else "persona.system_set")
    clock, lane = scope.clock, scope.lane.key
    await scope.reply(text, change_settings(clock, lane, lambda before: replace(before, system=instruction)))


async def _shown(scope: Scope) -> str:
    lane = scope.lane.key
    settings = await scope.read(lambda conn: settings_of(conversations.active_in(conn, lane)))
    if settings.system is None:
        return scope.text("persona.no_system")
    return scope.text("persona.system", instruction=settings.system)
