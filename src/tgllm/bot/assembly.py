"""Assembles the handlers of updates: middlewares, commands, buttons. Imported late, see ``loading``."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from aiogram import Dispatcher

from tgllm.api import ChatInfo, CommandInfo, UserInfo
from tgllm.bot.admin.assembly import admin_commands, admin_presses
from tgllm.bot.commands.approvals import approval_commands, grant_presses
from tgllm.bot.commands.branches import branch_commands, branch_presses
from tgllm.bot.commands.cancel import cancel_commands
from tgllm.bot.commands.export import export_commands, export_presses
from tgllm.bot.commands.files import file_commands, file_presses
from tgllm.bot.commands.forget import forget_commands, forget_presses
from tgllm.bot.commands.group_mode import group_commands, group_presses
from tgllm.bot.commands.history import history_commands, history_presses
from tgllm.bot.commands.memory import memory_commands, memory_presses
from tgllm.bot.commands.models import model_commands, model_presses
from tgllm.bot.commands.persona import persona_commands, persona_presses
from tgllm.bot.commands.plugins import plugin_command
from tgllm.bot.commands.remind import remind_commands, remind_presses
from tgllm.bot.commands.retry import retry_commands, retry_presses
from tgllm.bot.commands.search import search_commands, search_presses
from tgllm.bot.commands.settings import settings_commands, settings_presses
from tgllm.bot.commands.start_stop import core_commands
from tgllm.bot.commands.system import system_commands
from tgllm.bot.commands.tools import tool_commands, tool_presses
from tgllm.bot.commands.usage import usage_commands
from tgllm.bot.handlers.access_presses import access_presses
from tgllm.bot.handlers.answer_presses import answer_presses
from tgllm.bot.handlers.approval_presses import approval_presses
from tgllm.bot.handlers.as_file_presses import as_file_presses
from tgllm.bot.handlers.edited import handle_edited
from tgllm.bot.handlers.membership import handle_membership
from tgllm.bot.handlers.message import MessageHandler
from tgllm.bot.handlers.plugin_presses import plugin_presses
from tgllm.bot.handlers.press import PressHandler
from tgllm.bot.handlers.proposal_presses import proposal_presses
from tgllm.bot.handlers.question_presses import question_presses
from tgllm.bot.handlers.stopped import handle_stopped
from tgllm.bot.middlewares.access import AuthMiddleware
from tgllm.bot.middlewares.errors import ErrorsMiddleware
from tgllm.bot.middlewares.migration import MigrationMiddleware
from tgllm.bot.middlewares.password import PasswordMiddleware
from tgllm.bot.middlewares.place import PlaceMiddleware
from tgllm.bot.middlewares.scope import ScopeMiddleware
from tgllm.bot.parts import BotParts
from tgllm.bot.ui.command_table import CommandTable, LiveCommands, TableCommand
from tgllm.bot.ui.press_table import PressAction, PressTable
from tgllm.i18n import Catalogue
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.common.text import one_line
from tgllm.services.core import Core

__all__ = ["fill_dispatcher", "own_commands", "press_actions", "table_rows"]

MOST_TITLE = 60
"""Most UTF-16 units of a plugin's title in help."""


def fill_dispatcher(dispatcher: Dispatcher, parts: BotParts, commands: LiveCommands) -> None:
    """Register the bot's middlewares and one handler for each kind of update.

    There are no filters: aiogram runs each filter expression in a thread, and the command table needs none.

    Args:
        dispatcher: aiogram's, without any.
        parts: parts of the bot that handlers need.
        commands: of the bot and of plugins.
    """
    dispatcher.update.outer_middleware(ScopeMiddleware(parts))
    dispatcher.update.outer_middleware(ErrorsMiddleware())
    dispatcher.update.outer_middleware(PlaceMiddleware())
    dispatcher.update.outer_middleware(MigrationMiddleware())
    dispatcher.update.outer_middleware(PasswordMiddleware(parts.core.password))
    dispatcher.update.outer_middleware(AuthMiddleware())
    dispatcher.message.register(MessageHandler(commands).handle)
    dispatcher.edited_message.register(handle_edited)
    dispatcher.callback_query.register(PressHandler(PressTable(press_actions())).handle)
    dispatcher.stopped_message_generation.register(handle_stopped)
    dispatcher.my_chat_member.register(handle_membership)


def own_commands(texts: Catalogue) -> Iterable[TableCommand]:
    """Yield the bot's own commands, in the order in which menus list them; ``CORE_COMMANDS`` has their names."""
    for group, commands in _GROUPED:
        for command in commands(texts):
            yield replace(command, group=partial(texts, f"help.group_{group}"))


_GROUPED: Sequence[tuple[str, Callable[[Catalogue], Iterable[TableCommand]]]] = (
    ("chat", core_commands),
    ("chat", cancel_commands),
    ("models", model_commands),
    ("models", system_commands),
    ("models", persona_commands),
    ("models", settings_commands),
    ("models", tool_commands),
    ("models", memory_commands),
    ("chat", history_commands),
    ("chat", search_commands),
    ("chat", file_commands),
    ("chat", retry_commands),
    ("chat", branch_commands),
    ("you", remind_commands),
    ("you", usage_commands),
    ("chat", export_commands),
    ("you", approval_commands),
    ("you", forget_commands),
    ("group", group_commands),
    ("admin", admin_commands),
)
"""Groups of help, and the commands that belong to them."""


def _group_of(title: str | None, texts: Catalogue) -> Callable[[str], str]:
    """Return the lookup of the group of a plugin's commands; None as the title is a built-in plugin."""
    if title is None:
        return partial(texts, "help.group_bot")
    line = one_line(title, MOST_TITLE)
    return lambda language: texts("help.group_plugin", language, title=line)


def press_actions() -> Iterable[PressAction]:
    """Yield the actions of all buttons."""
    yield from access_presses()
    yield from answer_presses()
    yield from approval_presses()
    yield from question_presses()
    yield from as_file_presses()
    yield from export_presses()
    yield from model_presses()
    yield from persona_presses()
    yield from settings_presses()
    yield from tool_presses()
    yield from memory_presses()
    yield from proposal_presses()
    yield from search_presses()
    yield from history_presses()
    yield from file_presses()
    yield from remind_presses()
    yield from retry_presses()
    yield from branch_presses()
    yield from group_presses()
    yield from grant_presses()
    yield from forget_presses()
    yield from admin_presses()
    yield from plugin_presses()


def table_rows(core: Core, runner: HookRunner, table: Callable[[], CommandTable]) -> Iterable[TableCommand]:
    """Yield all commands, of the bot and of plugins.

    Args:
        core: with the plugins.
        runner: calls the commands of plugins.
        table: returns the table of these commands.
    """

    def usable_by(user: UserInfo, chat: ChatInfo) -> Sequence[CommandInfo]:
        return table().for_user(user, chat)

    yield from own_commands(core.texts)
    titles = core.host.titles
    for owned in core.host.commands:
        yield plugin_command(owned, usable_by, runner, _group_of(titles.get(owned.plugin_id), core.texts))
