"""Screens of admin commands, and buttons that run admin commands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tgllm.bot.ui.keyboards import Button

__all__ = ["SEPARATE", "WORD", "Screen", "admin_button"]

WORD = "admin"
"""First word of the callback data of all these buttons; the command's name and argument follow."""
SEPARATE = " +"
"""End of the callback data of a button whose message stays; the screen is a new message."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A message with buttons: the reply to a text command, or the new content of the pressed button's message."""

    text: str = ""
    """Truncated to one message. Empty: nothing is sent, and the pressed button's message stays unchanged."""
    keyboard: Sequence[Sequence[Button]] = ()
    toast: str = ""
    """Shown at the pressed button, truncated; not shown for text commands."""
    separate: bool = False
    """Whether a press gets a new message too."""
    after: Callable[[], object] | None = None
    """Called once the transaction is committed, such as ``UserService.enforce``."""


def admin_button(label: str, name: str, argument: str = "") -> Button:
    """Return a button that runs an admin command.

    Raises:
        ValueError: name and argument take more than 58 bytes together with the space between them.
    """
    return Button(label, f"{WORD}:{name} {argument}".rstrip())
