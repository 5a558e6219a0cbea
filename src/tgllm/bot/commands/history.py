"""Commands that start and reopen conversations: ``/clear``, ``/new``, ``/history``."""

from collections.abc import Sequence

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import MARK, Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import REOPEN
from tgllm.db.tables import conversations
from tgllm.db.tables.conversations import Conversation
from tgllm.i18n import Catalogue
from tgllm.services.conversations import branches

__all__ = ["history_commands", "history_presses"]

HISTORY = "history"
"""First word of the data of the button that shows the list; a page's number follows."""


def history_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("clear", lambda language: texts("command.clear", language), "user", _clear),
        TableCommand("new", lambda language: texts("command.new", language), "user", _new),
        TableCommand("history", lambda language: texts("command.history", language), "user", _history, reads="bare"),
    )


def history_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HISTORY, _turn_page), PressAction(REOPEN, _reopen))


async def _clear(scope: Scope, _command: ParsedCommand) -> None:
    now = scope.now
    await scope.reply(scope.text("history.cleared"), lambda conn: branches.clear(conn, scope.lane.key, now))


async def _new(scope: Scope, _command: ParsedCommand) -> None:
    now = scope.now
    await scope.reply(scope.text("history.new"), lambda conn: branches.begin_new(conn, scope.lane.key, now))


async def _history(scope: Scope, _command: ParsedCommand) -> None:
    await send_menu(scope, await _menu(scope, 0))


async def _turn_page(scope: Scope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, await _menu(scope, page_number(pressed.argument)))
    return ""


async def _reopen(scope: Scope, pressed: Pressed) -> str:
    """Reopen the conversation of a button; only in its own chat and topic."""
    lane, now = scope.lane.key, scope.now
    found = await _find(scope, pressed.argument)
    if found is None:
        return scope.text("history.gone")
    text = scope.text("history.reopened", title=_title(scope, found))
    menu = Menu(text, [[Button(scope.text("history.all"), f"{HISTORY}:0")]])
    await show_menu(scope, pressed, menu, lambda conn: branches.reopen(conn, lane, found.id, now))
    return ""


async def _menu(scope: Scope, number: int) -> Menu:
    past = await scope.read(lambda conn: branches.past(conn, scope.lane.key))
    if not past:
        return Menu(scope.text("history.empty"))
    page = page_of(past, number)
    rows = [[_button(scope, conversation)] for conversation in page.items]
    return Menu(_heading(scope, past), [*rows, *pager(page, lambda other: f"{HISTORY}:{other}")])


def _heading(scope: Scope, past: Sequence[Conversation]) -> str:
    return scope.text("history.title", count=len(past))


def _button(scope: Scope, conversation: Conversation) -> Button:
    mark = MARK if conversation.active else ""
    return Button(mark + _title(scope, conversation), f"{REOPEN}:{conversation.id}")


def _title(scope: Scope, conversation: Conversation) -> str:
    return conversation.title or scope.text("history.untitled")


async def _find(scope: Scope, argument: str) -> Conversation | None:
    """Return the conversation of a button, if it is of this lane; callback data may be forged."""
    if not argument.isdecimal() or len(argument) > 18:
        return None
    found = await scope.read(lambda conn: conversations.get(conn, int(argument)))
    return found if found is not None and found.lane == scope.lane.key else None
