"""Assembles the bot: session, limiter, dispatcher, handlers."""

from collections.abc import Iterable, Sequence

from aiogram import Bot, Dispatcher
from aiogram.client.telegram import TelegramAPIServer

from tgllm.api import ChatInfo, CommandInfo, UserInfo
from tgllm.bot.admin.assembly import admin_commands, admin_presses
from tgllm.bot.commands.branches import branch_commands, branch_presses
from tgllm.bot.commands.cancel import cancel_commands
from tgllm.bot.commands.export import export_commands
from tgllm.bot.commands.facts import fact_commands, fact_presses
from tgllm.bot.commands.forget import forget_commands, forget_presses
from tgllm.bot.commands.group_mode import group_commands, group_presses
from tgllm.bot.commands.history import history_commands, history_presses
from tgllm.bot.commands.models import model_commands, model_presses
from tgllm.bot.commands.persona import persona_commands, persona_presses
from tgllm.bot.commands.plugins import plugin_command
from tgllm.bot.commands.retry import retry_commands, retry_presses
from tgllm.bot.commands.settings import settings_commands, settings_presses
from tgllm.bot.commands.start_stop import core_commands
from tgllm.bot.commands.system import system_commands
from tgllm.bot.commands.usage import usage_commands
from tgllm.bot.handlers.access_presses import access_presses
from tgllm.bot.handlers.answer_presses import answer_presses
from tgllm.bot.handlers.edited import handle_edited
from tgllm.bot.handlers.membership import handle_membership
from tgllm.bot.handlers.message import MessageHandler
from tgllm.bot.handlers.press import PressHandler
from tgllm.bot.handlers.stopped import handle_stopped
from tgllm.bot.middlewares.access import AuthMiddleware
from tgllm.bot.middlewares.errors import ErrorsMiddleware
from tgllm.bot.middlewares.migration import MigrationMiddleware
from tgllm.bot.middlewares.password import PasswordMiddleware
from tgllm.bot.middlewares.place import PlaceMiddleware
from tgllm.bot.middlewares.scope import ScopeMiddleware
from tgllm.bot.parts import BotParts
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.session import BotSession
from tgllm.bot.ui.command_table import LiveCommands, TableCommand
from tgllm.bot.ui.press_table import PressAction, PressTable
from tgllm.i18n import Catalogue
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.core import Core

__all__ = ["live_commands", "make_bot", "make_dispatcher", "own_commands", "press_actions"]


def make_bot(token: str, api: str, limiter: Limiter, *, request_seconds: float) -> Bot:
    """Return the client of the Bot API server at ``api``; all its calls pass the limiter."""
    session = BotSession(TelegramAPIServer.from_base(api), timeout=request_seconds)
    session.middleware(limiter)
    return Bot(token, session=session)


def make_dispatcher(parts: BotParts, commands: LiveCommands) -> Dispatcher:
    """Return aiogram's dispatcher with the bot's middlewares and one handler for each kind of update.

    There are no filters: aiogram runs each filter expression in a thread, and the command table needs none.

    Args:
        parts: parts of the bot that handlers need.
        commands: of the bot and of plugins.
    """
    dispatcher = Dispatcher(disable_fsm=True)
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
    return dispatcher


def own_commands(texts: Catalogue) -> Iterable[TableCommand]:
    """Yield the bot's own commands, in the order in which help lists them; ``CORE_COMMANDS`` has their names."""
    yield from core_commands(texts)
    yield from cancel_commands(texts)
    yield from model_commands(texts)
    yield from system_commands(texts)
    yield from persona_commands(texts)
    yield from settings_commands(texts)
    yield from fact_commands(texts)
    yield from history_commands(texts)
    yield from retry_commands(texts)
    yield from branch_commands(texts)
    yield from usage_commands(texts)
    yield from export_commands(texts)
    yield from forget_commands(texts)
    yield from group_commands(texts)
    yield from admin_commands(texts)


def press_actions() -> Iterable[PressAction]:
    """Yield the actions of all buttons."""
    yield from access_presses()
    yield from answer_presses()
    yield from model_presses()
    yield from persona_presses()
    yield from settings_presses()
    yield from fact_presses()
    yield from history_presses()
    yield from retry_presses()
    yield from branch_presses()
    yield from group_presses()
    yield from forget_presses()
    yield from admin_presses()


def live_commands(core: Core, runner: HookRunner) -> LiveCommands:
    """Return the table of all commands, of the bot and of plugins.

    Args:
        core: with the plugins.
        runner: calls the commands of plugins.
    """

    def rows() -> Iterable[TableCommand]:
        yield from own_commands(core.texts)
        for owned in core.host.commands:
            yield plugin_command(owned, usable_by, runner)

    def usable_by(user: UserInfo, chat: ChatInfo) -> Sequence[CommandInfo]:
        return commands.table.for_user(user, chat)

    commands = LiveCommands(lambda: core.host.revision, rows)
    return commands
