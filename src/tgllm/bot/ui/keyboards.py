"""Messages with buttons that are edited in place, and paged lists of buttons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tgllm.bot.delivery.fallbacks import formatted
from tgllm.bot.delivery.rows import buttons, message_rows
from tgllm.bot.rendering.payloads import Entity, EntityText
from tgllm.bot.scope import Scope
from tgllm.bot.ui.press_table import Pressed
from tgllm.db.engine.unit import Unit
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import clip, one_line, without_controls
from tgllm.services.messaging.rows import call_row

__all__ = [
    "MARK",
    "PAGE",
    "Button",
    "Menu",
    "Page",
    "menu_rows",
    "page_number",
    "page_of",
    "pager",
    "send_menu",
    "show_menu",
]

PAGE = 8
"""Most buttons on a page."""
MARK = "✓ "
"""Prefix of the current choice."""
MOST_DATA = 64
"""Most bytes of callback data. Bot API: InlineKeyboardButton."""
MOST_LABEL = 60
"""Most UTF-16 units of a label; clients truncate long ones."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button of a message."""

    label: str
    data: str

    def __post_init__(self) -> None:
        """Check Telegram's limits of callback data.

        Raises:
            ValueError: the callback data is empty or too long.
        """
        if not 1 <= len(self.data.encode()) <= MOST_DATA:
            raise ValueError(f"callback data of {len(self.data.encode())} bytes: {self.data!r}")


@dataclass(frozen=True, slots=True)
class Menu:
    """A message with rows of buttons; the text fits one message."""

    text: str
    rows: Sequence[Sequence[Button]] = ()
    entities: tuple[Entity, ...] = ()
    """Formatted parts of the text, which then has no invisible characters; see ``StyledText``."""

    @property
    def markup(self) -> dict[str, object]:
        """Keyboard as the ``reply_markup`` of the Bot API."""
        return buttons([[(one_line(button.label, MOST_LABEL), button.data) for button in row] for row in self.rows])


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list."""

    items: Sequence[T]
    number: int
    """From 0."""
    count: int
    """Number of all pages, at least 1."""


def page_of(items: Sequence[T], number: int) -> Page[T]:
    """Return a page of a list; the last page if the number is too large."""
    count = max(1, -(-len(items) // PAGE))
    number = min(max(0, number), count - 1)
    return Page(items[number * PAGE : (number + 1) * PAGE], number, count)


def page_number(text: str) -> int:
    """Parse a page number of callback data; anything else is 0, the first page."""
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def pager(page: Page[T], data: Callable[[int], str]) -> Sequence[Sequence[Button]]:
    """Return the row of buttons that turn pages; empty for a single page.

    Args:
        page: the current page.
        data: returns the callback data for a page's number.
    """
    if page.count == 1:
        return ()

    def button(label: str, number: int) -> Button:
        return Button(label, data(number))

    back = [button("«", page.number - 1)] if page.number else []
    on = [button("»", page.number + 1)] if page.number + 1 < page.count else []
    return ([*back, button(f"{page.number + 1} / {page.count}", page.number), *on],)


async def send_menu(scope: Scope, menu: Menu, *effects: Unit) -> None:
    """Finish the update with these effects and a new message."""
    await scope.end(*effects, replies=menu_rows(scope, menu, None))


async def show_menu(scope: Scope, pressed: Pressed, menu: Menu, *effects: Unit) -> None:
    """Finish the update with these effects, and replace the message of the pressed button by the menu."""
    await scope.end(*effects, replies=menu_rows(scope, menu, pressed))


def menu_rows(scope: Scope, menu: Menu, pressed: Pressed | None) -> list[NewOutbox]:
    """Return the rows that replace the message of the pressed button by a menu, or send it as a new message."""
    message_id = None if pressed is None else pressed.message_id
    return _message(scope.lane, menu) if message_id is None else [_edit(scope.lane, message_id, menu)]


def _message(lane: Lane, menu: Menu) -> list[NewOutbox]:
    markup = menu.markup if menu.rows else None
    if not menu.entities:
        return message_rows(lane, without_controls(menu.text), reply_markup=markup)
    payload = formatted(EntityText(menu.text, menu.entities))
    return [call_row(lane, "sendMessage", payload if markup is None else payload | {"reply_markup": markup})]


def _edit(lane: Lane, message_id: int, menu: Menu) -> NewOutbox:
    payload: dict[str, object] = {
        "chat_id": lane.chat_id,
        "message_id": message_id,
        **formatted(EntityText(clip(without_controls(menu.text)), menu.entities)),
        "reply_markup": menu.markup,
    }
    if lane.business_connection_id is not None:
        payload["business_connection_id"] = lane.business_connection_id
    return NewOutbox(
        lane=lane.key,
        method="editMessageText",
        chat_id=lane.chat_id,
        thread_id=lane.topic_id,
        payload=payload,  # type: ignore[arg-type]  all of it is JSON
        kind="edit",
    )
