"""The command ``/tools`` and its buttons: which tools a model may use in a chat, and how they are switched off."""

from collections.abc import Callable
from dataclasses import replace

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import page_number, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.ui.tools_menu import HOME, SWITCH, ToolsMenu, title_of, usable
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import ChatSettings, change_settings, settings_of

__all__ = ["tool_commands", "tool_presses", "tools_menu"]


def tool_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (TableCommand("tools", lambda language: texts("command.tools", language), "user", _list, reads="always"),)


def tool_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HOME, _page), PressAction(SWITCH, _switch))


async def _list(scope: Scope, _command: ParsedCommand) -> None:
    await send_menu(scope, (await scope.read(tools_menu(scope))).page(0))


async def _page(scope: Scope, pressed: Pressed) -> str:
    menu = await scope.read(tools_menu(scope))
    await show_menu(scope, pressed, menu.page(page_number(pressed.argument)))
    return ""


async def _switch(scope: Scope, pressed: Pressed) -> str:
    """Switch a tool off or on. It opens nothing: a tool that the person may not use is not in the list."""
    state, _, key = pressed.argument.partition(":")
    menu = await scope.read(tools_menu(scope))
    found = menu.find(key)
    if found is None or state not in {"0", "1"}:
        return scope.text("tools.gone")
    tool, number = found
    is_on = state == "1"
    changed = replace(menu, off=menu.off - {tool.name} if is_on else menu.off | {tool.name})
    effect = change_settings(scope.clock, scope.lane.key, lambda before: _switched(before, tool.name, is_on=is_on))
    await show_menu(scope, pressed, changed.page(number), effect)
    return scope.text("tools.on" if is_on else "tools.off", title=title_of(tool, scope.language))


def _switched(before: ChatSettings, name: str, *, is_on: bool) -> ChatSettings:
    """Return the settings after a choice; other tools that were switched meanwhile stay."""
    off = {*(before.tools_off or ())}
    off = off - {name} if is_on else off | {name}
    return replace(before, tools_off=tuple(sorted(off)) or None)


def tools_menu(scope: Scope) -> Callable[[Connection], ToolsMenu]:
    """Return the query for what the sender may use in the chat now."""
    core, lane = scope.core, scope.lane.key
    tools, now = core.host.tools, scope.now

    def query(conn: Connection) -> ToolsMenu:
        standings = core.tool_policy.standings(conn, tools, scope.user, scope.chat, lane, now)
        off = frozenset(settings_of(conversations.active_in(conn, lane)).tools_off or ())
        return ToolsMenu(usable(standings), off, core.texts, scope.language)

    return query
