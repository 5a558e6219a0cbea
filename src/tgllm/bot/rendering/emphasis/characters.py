# ruff: noqa: RUF001 - punctuation of several scripts
"""Kinds of characters beside emphasis marks."""

import unicodedata
from functools import lru_cache
from typing import Final

from tgllm.bot.rendering.emphasis.hidden import MARKS, STAR, UNDERSCORE

__all__ = ["CLOSING", "LETTER", "NODE", "OPENING", "OTHER", "SIGN", "SPACE", "STOP", "WORD", "Around", "kind_of"]

NODE: Final = "\ufffc"
"""Stands for code, a formula or a link."""

SPACE, WORD, LETTER, OTHER, OPENING, CLOSING, STOP, SIGN, _QUOTE = range(9)
"""``WORD``: a digit, or a letter of a script with spaces in which formulas and code are written. ``LETTER``: any other
letter. ``SIGN``: any other character of ASCII. ``OTHER``: the rest, such as emoji."""

_STOPS = frozenset(".,:;!?，。、：；！？．､｡؟،؛۔।॥၊။።")
_OPERANDS = frozenset("√∛∜∞∂∇°′″" + NODE)


@lru_cache(4096)
def kind_of(char: str) -> int:
    """Return the kind of a character; quotes of ASCII have one of their own, which their neighbours decide."""
    if char.isspace():
        return SPACE
    if char in _STOPS:
        return STOP
    if char in "\"'":
        return _QUOTE
    category = unicodedata.category(char)
    if category == "Ps" or char == "<":
        return OPENING
    if category == "Pe" or char == ">":
        return CLOSING
    if char.isalnum() or category in {"Mn", "Mc"}:
        has_spaces = char < "\u0590" or "\u1e00" <= char < "\u2000"
        return WORD if has_spaces else LETTER
    if char in _OPERANDS:
        return WORD
    return SIGN if char.isascii() or char in MARKS else OTHER


class Around:
    """What stands around a run. The ends of the text count as spaces."""

    __slots__ = ("after", "before", "end", "left", "right", "start", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.before = self.char(start - 1)
        self.after = self.char(end)
        self.left = self._kind_before()
        self.right = self._kind_after()

    def char(self, place: int) -> str:
        """Return the character at a place of the text."""
        return self.text[place] if 0 <= place < len(self.text) else " "

    def kind(self, place: int) -> int:
        """Return the kind of the character at a place of the text."""
        return kind_of(self.char(place))

    def is_factor_before(self) -> bool:
        """Return whether a number or a word of one letter stands before the run."""
        return self.before.isdigit() or (self.left == WORD and self.kind(self.start - 2) != WORD)

    def is_factor_after(self) -> bool:
        """Return whether a number or a word of one letter stands behind the run."""
        return self.after.isdigit() or (self.right == WORD and self.kind(self.end + 1) != WORD)

    def is_before_number(self) -> bool:
        """Return whether a number with a sign stands behind the run, and a factor before it: ``2**-3``."""
        return self.after in "+-" and self.char(self.end + 1).isdigit() and self.is_factor_before()

    def is_before_suffix(self) -> bool:
        """Return whether a dot and a word stand behind the run, as in a name of a file."""
        return self.after == "." and self.kind(self.end + 1) == WORD

    def is_before_underscore(self) -> bool:
        """Return whether one underscore and a word stand behind the run, as in ``*_test.py`` and ``*_*``."""
        return self.after == UNDERSCORE and (self.kind(self.end + 1) == WORD or self.char(self.end + 1) == STAR)

    def is_behind_underscore(self) -> bool:
        """Return whether a word and one underscore stand before the run: ``test_*``."""
        return self.before == UNDERSCORE and self.kind(self.start - 2) == WORD

    def _kind_before(self) -> int:
        kind = kind_of(self.before)
        if kind != _QUOTE:
            return kind
        outer = self.char(self.start - 2)
        return OPENING if outer in MARKS or kind_of(outer) in {SPACE, OPENING} else CLOSING

    def _kind_after(self) -> int:
        kind = kind_of(self.after)
        if kind != _QUOTE:
            return kind
        outer = self.char(self.end + 1)
        return CLOSING if outer in MARKS or kind_of(outer) in {SPACE, CLOSING, STOP} else OPENING
