"""The press table: what each of the bot's buttons does, by the first word of its callback data."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tgllm.api import Access
from tgllm.bot.scope import Scope

__all__ = ["MOST_TOAST", "PressAction", "PressTable", "Pressed"]

MOST_TOAST = 200
"""UTF-16 units of a text that is shown at a button. Bot API: answerCallbackQuery."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that somebody pressed."""

    argument: str
    """What follows the word and a colon in the callback data; may have been forged."""
    message_id: int | None
    """The message that the button is under; None if Telegram does not say."""
    answer: Callable[[str], Awaitable[None]]
    """Shows a text at the button at once, for actions that take their time; otherwise that is done at their end."""


Press = Callable[[Scope, Pressed], Awaitable[str]]
"""Does what a button says, ends the update, and returns a text to show at the button, or nothing."""


@dataclass(frozen=True, slots=True)
class PressAction:
    """A row of the table."""

    word: str
    """Callback data is ``word`` or ``word:argument``, 64 bytes at most in all. Bot API: InlineKeyboardButton."""
    run: Press
    access: Access = "user"


class PressTable:
    """Looks actions up by word."""

    def __init__(self, actions: Iterable[PressAction]) -> None:
        """Build the table.

        Raises:
            ValueError: two actions have the same word.
        """
        self._actions: dict[str, PressAction] = {}
        for action in actions:
            if action.word in self._actions:
                raise ValueError(f"two actions are called {action.word!r}")
            self._actions[action.word] = action

    def find(self, data: str) -> tuple[PressAction | None, str]:
        """The action for some callback data, and its argument."""
        word, _, argument = data.partition(":")
        return self._actions.get(word), argument
