"""Buttons of the questions that tools ask in the middle of a call."""

from tgllm.bot.scope import Scope
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.services.tools.questions import QUESTION

__all__ = ["question_presses"]


def question_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(QUESTION, _press, needs_place=False),)


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Answer the question of the button; callback data may be forged."""
    key, _, number = pressed.argument.partition(":")
    place = int(number) if number in _NUMBERS else None
    result = "gone" if place is None else scope.core.questions.answer(key, place, scope.user.id)
    await scope.end()
    text = "" if result == "taken" else scope.text(f"question.toast_{result}")
    if text:
        await pressed.answer(text, alert=True)
    return text


_NUMBERS = frozenset(map(str, range(-1, 100)))
