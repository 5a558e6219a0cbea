"""Press table: the actions of the bot's buttons, by the first word of their callback data."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from tgllm.api import Access
from tgllm.bot.scope import Scope

__all__ = ["MOST_TOAST", "AnswerPress", "PressAction", "PressTable", "Pressed"]

MOST_TOAST = 200
"""Most UTF-16 units of a text that is shown at a button. Bot API: answerCallbackQuery."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A pressed button."""

    argument: str
    """Text after the word and a colon in the callback data; may be forged."""
    message_id: int | None
    """Id of the button's message; None if Telegram does not send it."""
    answer: "AnswerPress"
    """Shows a text at the button at once, for slow actions; without it, the press is answered after the action."""
    is_inaccessible: bool = False
    """Whether Telegram says of the message only in which chat it is. Bot API: InaccessibleMessage."""


class AnswerPress(Protocol):
    """Answers a press, once; further answers do nothing."""

    async def __call__(self, text: str, *, alert: bool = False) -> None:
        """Show a text at the button, maybe empty; ``alert``: as a dialog that the person closes."""
        ...


Press = Callable[[Scope, Pressed], Awaitable[str]]
"""Runs the action of a button, finishes the update, and returns a text to show at the button, possibly empty."""


@dataclass(frozen=True, slots=True)
class PressAction:
    """A row of the table."""

    word: str
    """Callback data is ``word`` or ``word:argument``, at most 64 bytes. Bot API: InlineKeyboardButton."""
    run: Press
    access: Access = "user"
    needs_place: bool = True
    """Whether it reads or changes the chat of the button. Of a deleted message, Telegram does not say the topic."""


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
        """Return the action for callback data, None if unknown, and the argument."""
        word, _, argument = data.partition(":")
        return self._actions.get(word), argument
