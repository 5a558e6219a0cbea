"""The files of a conversation: ``/files`` lists them, and removes them with buttons."""

from collections.abc import Collection, Sequence

from tgllm.bot.scope import Scope
from tgllm.bot.turns.ownership import is_theirs, not_theirs
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import Button, Menu, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import REMOVE_FILE
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.i18n import Catalogue
from tgllm.i18n.numbers import size_text
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import unlinked
from tgllm.services.common.times import readable_time
from tgllm.services.conversations.kept_files import KeptFile, kept_files, remove_file
from tgllm.services.conversations.turn import Turn
from tgllm.services.files.names import display_name
from tgllm.services.files.passage_store import PassageStore
from tgllm.services.people.names import full_name

__all__ = ["file_commands", "file_presses"]

LIST = "files"
"""First word of the data of the button that shows the list; a page's number follows."""
ASK = "fask"
"""The same for the button that asks before a file is removed; its id and a page follow."""
CROSS = "✕ "

log = get_logger(__name__)


def file_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (TableCommand("files", lambda language: texts("command.files", language), "user", _list, reads="always"),)


def file_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(LIST, _turn_page), PressAction(ASK, _ask), PressAction(REMOVE_FILE, _remove))


async def _list(scope: Scope, _command: ParsedCommand) -> None:
    await send_menu(scope, await _menu(scope, 0))


async def _turn_page(scope: Scope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, await _menu(scope, page_number(pressed.argument)))
    return ""


async def _ask(scope: Scope, pressed: Pressed) -> str:
    """Ask before a file is removed: it can't be brought back but by sending it again."""
    number, page = _read(pressed.argument)
    found, refusal = await _find(scope, number)
    if found is None:
        return refusal
    rows = [
        [Button(scope.text("kept.remove"), f"{REMOVE_FILE}:{number}:{page}")],
        [Button(scope.text("kept.back"), f"{LIST}:{page}")],
    ]
    await show_menu(scope, pressed, Menu(scope.text("kept.ask", name=_name(scope, found)), rows))
    return ""


async def _remove(scope: Scope, pressed: Pressed) -> str:
    """Remove a file, its content and text after the commit, and show the rest."""
    number, page = _read(pressed.argument)
    found, refusal = await _find(scope, number)
    if found is None:
        return refusal
    left = [kept for kept in await _kept(scope) if kept.file.sha256 != found.file.sha256]
    paths: list[str] = []

    def unit(conn: Connection) -> None:
        paths[:] = remove_file(conn, scope.lane.key, number)

    await show_menu(scope, pressed, await _menu_of(scope, left, page), unit)
    try:
        await scope.core.storage.remove(paths)
    except OSError as error:
        # The retention job removes what no row refers to.
        log.warning("file.not_removed", error=type(error).__name__)
    await PassageStore(scope.core.database).purge()
    return ""


def _read(argument: str) -> tuple[int, int]:
    """Return the file and the page of callback data, which may be forged."""
    number, _, page = argument.partition(":")
    return int(number) if number.isdecimal() and len(number) < 18 else 0, page_number(page)


async def _find(scope: Scope, number: int) -> tuple[KeptFile | None, str]:
    """Return a file of this conversation that the sender may remove; else None and why not."""
    found = next((kept for kept in await _kept(scope) if kept.file.id == number), None)
    if found is None:
        return None, scope.text("kept.gone")
    if is_theirs(scope, *found.owner_ids):
        return found, ""
    user_id = found.file.user_id or 0
    user = await scope.read(lambda conn: users.get(conn, user_id))
    return None, not_theirs(scope, "" if user is None else full_name(user))


async def _kept(scope: Scope) -> Sequence[KeptFile]:
    return await scope.read(lambda conn: kept_files(conn, scope.lane.key))


async def _menu(scope: Scope, number: int) -> Menu:
    return await _menu_of(scope, await _kept(scope), number)


async def _menu_of(scope: Scope, kept: Sequence[KeptFile], number: int) -> Menu:
    """Return a page of the files, with a button for each."""
    if not kept:
        return Menu(scope.text("kept.none"))
    page, shown = page_of(kept, number), await _shown(scope)
    lines = [_line(scope, each, shown) for each in page.items]
    rows = [[Button(CROSS + _name(scope, each), f"{ASK}:{each.file.id}:{page.number}")] for each in page.items]
    return Menu(
        "\n".join([scope.text("kept.title"), "", *lines]), [*rows, *pager(page, lambda other: f"{LIST}:{other}")]
    )


async def _shown(scope: Scope) -> Collection[int]:
    """Return the ids of the messages in the chat that the context of the next question contains."""
    conversations = scope.core.conversations
    turn = Turn(id="", lane=scope.lane.key, user=scope.user, chat=scope.chat, text="")
    context = await scope.read(lambda conn: conversations.load(conn, turn))
    return conversations.room_for_quotes(context, "").shown


def _line(scope: Scope, kept: KeptFile, shown: Collection[int]) -> str:
    file = kept.file
    line = scope.text(
        "kept.line",
        name=unlinked(_name(scope, kept)),
        kind=scope.text("kept.kind_made") if kept.is_made else _kind(scope, kept),
        size=size_text(scope.core.texts, file.size, scope.language),
        time=readable_time(file.created_at),
    )
    read = [scope.text("kept.read", count=kept.chars)] if kept.chars else []
    is_shown = not kept.telegram_ids.isdisjoint(shown)
    return ", ".join([line, *read, scope.text("kept.in_context" if is_shown else "kept.not_in_context")])


def _name(scope: Scope, kept: KeptFile) -> str:
    """Return the name of a file; one without a name is called by its kind."""
    return display_name(kept.file.original_name) if kept.file.original_name else _kind(scope, kept)


def _kind(scope: Scope, kept: KeptFile) -> str:
    return scope.text(f"kept.kind_{kept.file.kind}")
