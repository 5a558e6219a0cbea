"""Decides by its neighbours whether a run of asterisks, underscores or tildes may open or close emphasis.

The rules are those of CommonMark, with these changes: punctuation inside a run keeps no run from opening or closing;
operators, globs and names are text; and a run that can be read in both ways needs a partner that can't.
"""

import re
from bisect import bisect_right

from tgllm.bot.rendering.emphasis.asterisks import role_of_one, role_of_several
from tgllm.bot.rendering.emphasis.characters import CLOSING, LETTER, OPENING, OTHER, SPACE, STOP, Around
from tgllm.bot.rendering.emphasis.hidden import STAR, TILDE, UNDERSCORE
from tgllm.bot.rendering.emphasis.roles import NEITHER, NONE, STRONG, WEAK, Role
from tgllm.bot.rendering.emphasis.underscores import Names

__all__ = ["Flanking"]

_PAIR = 2
_EQUALS_OR_END = re.compile("[=≈]|[.,;!?](?=\\s)|[\n\uff0c\u3002\uff1b\uff01\uff1f]")
"""Signs behind which a product is expected, and those at which a sentence ends."""
_AFTER_COLON = (": ", "\uff1a ")


class Flanking:
    """The rules for one paragraph."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._names = Names(text)
        self._signs = [(found.start(), found[0] in "=≈") for found in _EQUALS_OR_END.finditer(text)]

    def role(self, start: int, end: int) -> Role:
        """Return how well a run opens and closes emphasis."""
        mark, size = self._text[start], end - start
        around = Around(self._text, start, end)
        sides = _sides(around)
        if mark == TILDE:
            return sides if size == _PAIR else NEITHER
        if mark == UNDERSCORE:
            return self._names.role(around, sides) if any(sides) else NEITHER
        if mark == STAR and size == _PAIR:
            sides = _with_stray_space(around, sides)
        if not any(sides):
            return NEITHER
        opens, closes = (
            role_of_one(around, is_formula=self._is_formula(start)) if size == 1 else role_of_several(around)
        )
        return min(opens, sides[0]), min(closes, sides[1])

    def _is_formula(self, place: int) -> bool:
        """Return whether an equals sign precedes a place in its sentence."""
        index = bisect_right(self._signs, (place, True)) - 1
        return index >= 0 and self._signs[index][1]


def _sides(around: Around) -> Role:
    """Return what spaces, brackets and the marks at the end of a clause allow."""
    left, right = around.left, around.right
    opens = NONE if right in {SPACE, CLOSING} else STRONG
    closes = NONE if left in {SPACE, OPENING} else STRONG
    if right == STOP and left not in {SPACE, OPENING} and not (left in {LETTER, OTHER} and around.is_before_suffix()):
        opens = NONE
    return opens, closes


def _with_stray_space(around: Around, sides: Role) -> Role:
    """Return what two asterisks may do if the space beside them is one too many.

    That is the case behind asterisks at the start of a line, as in ``** a:** b``, and where a colon and a space end
    what is emphasised, in a script without spaces.
    """
    opens, closes = sides
    text, start, end = around.text, around.start, around.end
    if text.startswith(" ", end) and (not start or text.startswith("\n", start - 1)):
        opens = WEAK
    elif around.right == LETTER and start >= _PAIR and text.startswith(_AFTER_COLON, start - _PAIR):
        closes = WEAK
    return opens, closes
