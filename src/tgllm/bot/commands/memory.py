"""The memory of a chat: the commands ``/remember`` and ``/memory``, and the buttons that delete facts."""

from collections.abc import Sequence

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import PAGE, Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.ui.styled import StyledText
from tgllm.db.engine.unit import Unit
from tgllm.db.tables import facts
from tgllm.db.tables.facts import Fact, NewFact
from tgllm.i18n import Catalogue
from tgllm.services.chats.facts import FactRefused, check_fact, facts_in, owner_in
from tgllm.services.common.lane import Lane
from tgllm.services.common.message_links import message_link
from tgllm.services.common.text import clip
from tgllm.services.common.times import readable_time
from tgllm.services.messaging.rows import plain_message

__all__ = ["memory_commands", "memory_presses"]

HOME = "facts"
"""First word of the data of the button that shows a page of the facts; its number follows."""
FORGET = "unpin"
"""The same for deleting a fact; its id follows."""
SOURCE = "factfrom"
"""The same for showing the message that a fact comes from; the id of the fact follows."""
FORGET_ALL = "unpinall"
"""The same for deleting all facts: alone it asks first; then the id of the last fact that was shown follows."""
MOST_SHOWN = 350
"""UTF-16 units of a fact in the list, so that a page of facts of emoji fits one message."""
CROSS = "✕ "
"""Prefix of a fact on the button that deletes it."""


def memory_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("remember", lambda language: texts("command.remember", language), "user", _remember),
        TableCommand(
            "memory", lambda language: texts("command.memory", language), "user", _list, ("facts",), reads="always"
        ),
    )


def memory_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (
        PressAction(HOME, _page),
        PressAction(FORGET, _forget),
        PressAction(SOURCE, _show_source),
        PressAction(FORGET_ALL, _forget_all),
    )


async def _remember(scope: Scope, command: ParsedCommand) -> None:
    """Add the text of the command, or the text of the message to which it replies."""
    text = (command.markdown or command.reply_text).strip()
    if not text:
        await scope.reply(scope.text("facts.how"))
        return
    try:
        check_fact(text, await _facts(scope))
    except FactRefused as error:
        await scope.reply(scope.error_text(error))
        return
    message_id = command.message_ids[0] if command.markdown and command.message_ids else command.reply_to
    said = scope.text("facts.pinned" if scope.chat.is_private else "facts.pinned_in_group")
    await scope.reply(said, _add(scope, text, message_id))


def _add(scope: Scope, text: str, message_id: int | None) -> Unit:
    now = scope.now
    fact = NewFact(
        lane=scope.lane.key, owner=owner_in(scope.lane), user_id=scope.user.id, text=text, message_id=message_id
    )
    return lambda conn: facts.add(conn, fact, now)


async def _list(scope: Scope, _command: ParsedCommand) -> None:
    await send_menu(scope, _menu(scope, await _facts(scope), 0))


async def _page(scope: Scope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, _menu(scope, await _facts(scope), page_number(pressed.argument)))
    return ""


async def _forget(scope: Scope, pressed: Pressed) -> str:
    """Delete a fact; only one that counts in the chat of the button."""
    known = await _facts(scope)
    gone = _fact_of(known, pressed)
    if gone is None:
        return scope.text("facts.gone")
    left = [fact for fact in known if fact is not gone]
    menu = _menu(scope, left, known.index(gone) // PAGE)
    await show_menu(scope, pressed, menu, _delete(scope, [gone.id]))
    return ""


async def _forget_all(scope: Scope, pressed: Pressed) -> str:
    """Ask first; then delete the facts that were there when it was asked."""
    known = await _facts(scope)
    if not known:
        await show_menu(scope, pressed, _menu(scope, known, 0))
    elif not pressed.argument:
        yes = Button(scope.text("facts.all_yes"), f"{FORGET_ALL}:{known[-1].id}")
        asked = scope.text("facts.all_ask", count=len(known))
        await show_menu(scope, pressed, Menu(asked, [[yes], [Button(scope.text("facts.all_no"), f"{HOME}:0")]]))
    else:
        last = int(pressed.argument) if pressed.argument.isdecimal() and len(pressed.argument) < 19 else 0
        gone = [fact.id for fact in known if fact.id <= last]
        left = [fact for fact in known if fact.id > last]
        await show_menu(scope, pressed, _menu(scope, left, 0), _delete(scope, gone))
    return ""


async def _show_source(scope: Scope, pressed: Pressed) -> str:
    """Reply to the message that a fact comes from: no link opens a message of a private chat."""
    fact = _fact_of(await _facts(scope), pressed)
    if fact is None or fact.message_id is None:
        return scope.text("facts.gone")
    lane = Lane.parse(fact.lane)
    said = plain_message(lane, scope.text("facts.from_here", fact=fact.text), answers=fact.message_id)
    await scope.end(replies=[said])
    return scope.text("search.elsewhere") if lane != scope.lane else ""


def _menu(scope: Scope, known: Sequence[Fact], number: int) -> Menu:
    """Return a page of the facts with their sources, and a button for each."""
    if not known:
        return Menu(scope.text("facts.none"))
    page = page_of(known, number)
    text = StyledText().add(scope.text("facts.title" if scope.chat.is_private else "facts.title_in_group")).add("\n")
    rows: list[list[Button]] = []
    for fact in page.items:
        text.add(f"\n• {clip(fact.text, MOST_SHOWN)}\n")
        _add_source(scope, text, fact)
        row = [Button(CROSS + " ".join(fact.text.split()), f"{FORGET}:{fact.id}")]
        if fact.message_id is not None and message_link(scope.chat.id, fact.message_id) is None:
            row.append(Button(scope.text("facts.source"), f"{SOURCE}:{fact.id}"))
        rows.append(row)
    whole = text.text()
    every = [] if len(known) == 1 else [[Button(scope.text("facts.all"), FORGET_ALL)]]
    return Menu(whole.text, [*rows, *pager(page, lambda to: f"{HOME}:{to}"), *every], whole.entities)


def _add_source(scope: Scope, text: StyledText, fact: Fact) -> None:
    """Add who has said a fact and when, with a link to the message if there is one."""
    if fact.source == "model":
        told = scope.text("facts.by_model" if scope.chat.is_private else "facts.by_model_in_group")
    else:
        told = scope.text("facts.by_person" if scope.chat.is_private else "facts.by_person_in_group")
    link = message_link(scope.chat.id, fact.message_id)
    text.add("   ").add(f"{readable_time(fact.created_at)}, {told}", "italic", url=link)
    if fact.owner is None and owner_in(scope.lane) is not None:
        text.add(f", {scope.text('facts.only_here')}", "italic")
    text.add("\n")


def _fact_of(known: Sequence[Fact], pressed: Pressed) -> Fact | None:
    return next((fact for fact in known if str(fact.id) == pressed.argument), None)


def _delete(scope: Scope, ids: Sequence[int]) -> Unit:
    lane, owner = scope.lane.key, owner_in(scope.lane)
    return lambda conn: facts.delete_all(conn, lane, owner, ids)


async def _facts(scope: Scope) -> Sequence[Fact]:
    return await scope.read(lambda conn: facts_in(conn, scope.lane.key))
