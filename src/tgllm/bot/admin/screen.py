"""What an admin command shows, and the buttons that lead to other ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tgllm.bot.ui.keyboards import Button

__all__ = ["WORD", "Screen", "admin_button"]

WORD = "admin"
"""First word of the callback data of every button here; the command's name and argument follow."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A message with buttons: an answer to a text command, and in place of the message whose button was pressed."""

    text: str = ""
    """Cut to what fits one message. Empty: nothing is sent, and the pressed message stays as it is."""
    keyboard: Sequence[Sequence[Button]] = ()
    toast: str = ""
    """Shown at the pressed button, cut to what fits there; not for text commands."""
    separate: bool = False
    """Whether a press, too, gets it as a message of its own."""
    after: Callable[[], object] | None = None
    """Called once the transaction is committed, such as ``UserService.enforce``."""


def admin_button(label: str, name: str, argument: str = "") -> Button:
    """A button that runs an admin command.

    Raises:
        ValueError: name and argument take more than 58 bytes together with the space between them.
    """
    return Button(label, f"{WORD}:{name} {argument}".rstrip())
