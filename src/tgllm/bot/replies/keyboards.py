"""Buttons of plugins as inline keyboards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tgllm.api import Button, ButtonRows
from tgllm.db.tables.plugins.messages import KeyboardButton
from tgllm.services.common.text import mend_surrogates, one_line

__all__ = ["MOST_LABEL", "WORD", "Keyboard", "parsed"]

WORD: Final = "pb"
"""First word of the callback data; the id of the stored buttons and the number of the button follow."""
MOST_LABEL: Final = 64
"""Most UTF-16 units of a label; clients truncate long ones."""
_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Checked buttons of a message."""

    rows: ButtonRows

    @property
    def stored(self) -> Sequence[KeyboardButton]:
        """Buttons whose presses come to the bot, as they are stored."""
        pressable = (button for row in self.rows for button in row if button.id)
        return [(mend_surrogates(button.id), button.pressers, button.data) for button in pressable]

    def markup(self, keyboard_id: int) -> dict[str, Any]:
        """Return the ``reply_markup`` of the Bot API, given the id of the stored buttons."""
        number = 0
        lines: list[list[dict[str, str]]] = []
        for row in self.rows:
            line: list[dict[str, str]] = []
            for button in row:
                line.append({"text": _label(button), **_action(button, keyboard_id, number)})
                number += bool(button.id)
            lines.append(line)
        return {"inline_keyboard": lines}


def _label(button: Button) -> str:
    return one_line(mend_surrogates(button.text), MOST_LABEL)


def _action(button: Button, keyboard_id: int, number: int) -> dict[str, str]:
    return {"url": button.url} if button.url else {"callback_data": f"{WORD}:{keyboard_id}:{number}"}


def parsed(argument: str) -> tuple[int, int] | None:
    """Return the id of the stored buttons and the number of the button; None if the callback data is forged."""
    keyboard, _, number = argument.partition(":")
    parts = keyboard, number
    if not all(part.isascii() and part.isdecimal() and len(part) <= _MOST_DIGITS for part in parts):
        return None
    return int(keyboard), int(number)
