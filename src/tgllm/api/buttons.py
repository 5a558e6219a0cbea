"""Buttons under the messages of plugins, and presses on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import Json

if TYPE_CHECKING:
    from tgllm.api.chats import SentMessage
    from tgllm.api.commands import Reply

__all__ = ["Button", "ButtonRows", "Press", "PressResult", "Pressers"]

Pressers: TypeAlias = Literal["recipient", "anyone", "admins"]
"""Who may press a button: the person to whom the message replies, or whose private chat it is in; anyone with access in
its chat; the bot's admins and owners. A message of ``Chats.send`` to a group has a recipient if ``recipient`` names
one, or if it is sent while a command or a press in this group is handled; otherwise ``recipient`` means ``anyone``."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: with ``id``, a press calls ``tgllm_button``; with ``url``, it opens a page instead."""

    text: str
    """Label; clients truncate long ones."""
    id: str = ""
    """The plugin's own name for it, 1-64 characters, returned in ``Press.button``. It need not be unique."""
    data: Json = None
    """Returned in ``Press.data``; at most 4 KiB of JSON. The host stores it, and a press can't forge it."""
    url: str = ""
    """``https://``, ``http://`` or ``tg://`` URL."""
    pressers: Pressers = "recipient"
    """Who may press it; others get a text that says so."""


ButtonRows: TypeAlias = Sequence[Sequence[Button]]
"""Rows of buttons, from the top: at most 100 buttons in all, and 8 in a row."""


@dataclass(frozen=True, slots=True)
class Press:
    """A press of a button of the plugin, by a person who may press it."""

    id: str
    """Unique; it stays the same if the press is handled again after a crash."""
    button: str
    """``Button.id``."""
    data: Json
    """``Button.data``."""
    user: UserInfo
    """Who pressed it."""
    chat: ChatInfo
    message: "SentMessage"
    """The message with the button, to edit or delete it."""


@dataclass(frozen=True, slots=True)
class PressResult:
    """What a press does in the chat: any of a toast, an edit of the button's message, and a new message."""

    toast: str = ""
    """Shown to the person for a moment. If it has more than 200 characters, or comes later than 3 seconds after the
    press, it is sent as a message instead. Bot API: answerCallbackQuery."""
    alert: bool = False
    """Whether the toast is a dialog that the person closes."""
    edit: "Reply | None" = None
    """Replaces the text and the buttons of the message; without ``buttons`` in it, it has none afterwards."""
    reply: "Reply | None" = None
    """A new message."""
