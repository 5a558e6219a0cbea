"""Pinned facts of a chat: the commands ``/remember`` and ``/facts``, and the buttons that unpin a fact."""

from collections.abc import Sequence

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import PAGE, Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Unit
from tgllm.db.tables import facts
from tgllm.db.tables.facts import Fact
from tgllm.i18n import Catalogue
from tgllm.services.chats.facts import FactRefused, check_fact

__all__ = ["fact_commands", "fact_presses"]

HOME = "facts"
"""First word of the data of the button that shows a page of the facts; its number follows."""
FORGET = "unpin"
"""The same for unpinning a fact; its id follows."""
CROSS = "✕ "
"""Prefix of a fact on the button that unpins it."""


def fact_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("remember", lambda language: texts("command.remember", language), "user", _remember),
        TableCommand("facts", lambda language: texts("command.facts", language), "user", _list, reads="always"),
    )


def fact_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HOME, _page), PressAction(FORGET, _unpin))


async def _remember(scope: Scope, command: ParsedCommand) -> None:
    """Pin the text of the command, or the text of the message to which it replies."""
    text = (command.markdown or command.reply_text).strip()
    if not text:
        await scope.reply(scope.text("facts.how"))
        return
    try:
        check_fact(text, await _facts(scope))
    except FactRefused as error:
        await scope.reply(scope.error_text(error))
    else:
        await scope.reply(scope.text("facts.pinned"), _pin(scope, text))


def _pin(scope: Scope, text: str) -> Unit:
    lane, user_id, now = scope.lane.key, scope.user.id, scope.now
    return lambda conn: facts.add(conn, lane, user_id, text, now)


async def _list(scope: Scope, _command: ParsedCommand) -> None:
    await send_menu(scope, _menu(scope, await _facts(scope), 0))


async def _page(scope: Scope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, _menu(scope, await _facts(scope), page_number(pressed.argument)))
    return ""


async def _unpin(scope: Scope, pressed: Pressed) -> str:
    """Unpin a fact; only of the chat and topic of the button."""
    known = await _facts(scope)
    gone = next((fact for fact in known if str(fact.id) == pressed.argument), None)
    if gone is None:
        return scope.text("facts.gone")
    left = [fact for fact in known if fact is not gone]
    menu = _menu(scope, left, known.index(gone) // PAGE)
    await show_menu(scope, pressed, menu, lambda conn: facts.delete(conn, scope.lane.key, gone.id))
    return ""


def _menu(scope: Scope, known: Sequence[Fact], number: int) -> Menu:
    """Return a page of the facts, with a button for each."""
    if not known:
        return Menu(scope.text("facts.none"))
    page = page_of(known, number)
    lines = [f"• {fact.text}" for fact in page.items]
    rows = [[Button(CROSS + " ".join(fact.text.split()), f"{FORGET}:{fact.id}")] for fact in page.items]
    turn = pager(page, lambda to: f"{HOME}:{to}")
    return Menu("\n".join([scope.text("facts.title"), "", *lines]), [*rows, *turn])


async def _facts(scope: Scope) -> Sequence[Fact]:
    return await scope.read(lambda conn: facts.list_for(conn, scope.lane.key))
