"""The command ``/search``: finds messages in the conversations of the chat, with a way back to each."""

import secrets
from typing import Final

from tgllm.bot.rendering.split import MESSAGE_LIMIT
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import Button, Menu, page_number, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.ui.styled import StyledText
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables.memory import message_search
from tgllm.db.tables.memory.message_search import StoredText
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.common.message_links import message_link
from tgllm.services.common.text import clip
from tgllm.services.common.times import readable_time
from tgllm.services.messaging.rows import plain_message
from tgllm.services.search.finder import Found, find, is_readable
from tgllm.services.search.folding import words_of
from tgllm.services.search.latest import Search, latest, remember
from tgllm.services.search.snippets import Snippet, snippet

__all__ = ["search_commands", "search_presses"]

PAGE: Final = 5
"""Messages on a page."""
TURN: Final = "find"
"""First word of the data of a button that shows a page: who has searched, the number of the search, the page."""
GO: Final = "found"
"""The same for a button that shows the message itself; its id follows."""
MOST_QUERY: Final = 200
SNIPPET: Final = 160
_AUTHORS: Final = {"user": "👤", "assistant": "🤖"}


def search_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (
        TableCommand("search", lambda language: texts("command.search", language), "user", _search, reads="always"),
    )


def search_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(TURN, _turn), PressAction(GO, _go))


async def _search(scope: Scope, command: ParsedCommand) -> None:
    query = command.args.strip()[:MOST_QUERY]
    if not words_of(query):
        await scope.reply(scope.text("search.how"))
        return
    search = Search(query, secrets.randbelow(2**31))
    await send_menu(scope, await _menu(scope, search, 0), _keep(scope, search))


async def _turn(scope: Scope, pressed: Pressed) -> str:
    """Show another page of the latest search of the person who presses."""
    person, _, rest = pressed.argument.partition(":")
    number, _, page = rest.partition(":")
    if person != str(scope.user.id):
        return scope.text("search.not_yours")
    search = await scope.read(lambda conn: latest(conn, scope.lane, scope.user.id))
    if search is None or str(search.number) != number:
        return scope.text("search.over")
    await show_menu(scope, pressed, await _menu(scope, search, page_number(page)))
    return ""


async def _go(scope: Scope, pressed: Pressed) -> str:
    """Reply to a found message where it is: no link opens a message of a private chat or of a basic group."""
    if not (pressed.argument.isdecimal() and len(pressed.argument) < 19):
        return ""
    number = int(pressed.argument)

    def query(conn: Connection) -> StoredText | None:
        found = message_search.stored(conn, [number])
        return found[0] if found and is_readable(conn, scope.lane, found[0].lane) else None

    hit = await scope.read(query)
    if hit is None or hit.telegram_message_id is None:
        return scope.text("search.gone")
    lane, text = Lane.parse(hit.lane), snippet(hit.text, [], SNIPPET).text
    shown = scope.text("search.from_here", time=readable_time(hit.created_at), text=text)
    await scope.end(replies=[plain_message(lane, shown, answers=hit.telegram_message_id)])
    return scope.text("search.elsewhere") if lane != scope.lane else ""


async def _menu(scope: Scope, search: Search, page: int) -> Menu:
    found = await scope.read(lambda conn: find(conn, scope.lane, search.query))
    shown = clip(search.query, MOST_QUERY)
    if not found.hits:
        return Menu(scope.text("search.none", query=shown))
    pages = -(-len(found.hits) // PAGE)
    page = min(page, pages - 1)
    title = scope.text("search.title" if found.is_all else "search.title_newest", query=shown, count=len(found.hits))
    text = StyledText().add(title).add("\n")
    jumps = [button for button in _lines(scope, text, found, page * PAGE) if button is not None]
    whole = text.text()
    rows = [*([jumps] if jumps else []), *_pager(scope, search, page, pages)]
    return Menu(clip(whole.text, MESSAGE_LIMIT), rows, whole.entities)


def _lines(scope: Scope, text: StyledText, found: Found, first: int) -> list[Button | None]:
    """Add the messages of a page to the text, and return the button of each that no link opens."""
    jumps: list[Button | None] = []
    for number, hit in enumerate(found.hits[first : first + PAGE], first + 1):
        link = message_link(scope.chat.id, hit.telegram_message_id)
        text.add(f"\n{number}. {_AUTHORS.get(hit.role, '')} ").add(readable_time(hit.created_at), url=link).add("\n")
        _add_snippet(text, snippet(hit.text, found.words, SNIPPET))
        text.add("\n")
        can_jump = link is None and hit.telegram_message_id is not None
        jumps.append(Button(f"↩ {number}", f"{GO}:{hit.id}") if can_jump else None)
    return jumps


def _add_snippet(text: StyledText, shown: Snippet) -> None:
    at = 0
    for span in shown.spans:
        text.add(shown.text[at : span.start]).add(shown.text[span.start : span.end], "bold")
        at = span.end
    text.add(shown.text[at:])


def _pager(scope: Scope, search: Search, page: int, pages: int) -> list[list[Button]]:
    if pages == 1:
        return []

    def button(label: str, number: int) -> Button:
        return Button(label, f"{TURN}:{scope.user.id}:{search.number}:{number}")

    back = [button("«", page - 1)] if page else []
    on = [button("»", page + 1)] if page + 1 < pages else []
    return [[*back, button(f"{page + 1} / {pages}", page), *on]]


def _keep(scope: Scope, search: Search) -> Unit:
    """Return the unit that stores a search for its further pages: a button has no room for the words."""
    lane, user_id, now = scope.lane, scope.user.id, scope.now
    return lambda conn: remember(conn, lane, user_id, search, now)
