"""Tells emphasis from names, which are written with underscores too."""

import re
from bisect import bisect_right

from tgllm.bot.rendering.emphasis.characters import CLOSING, LETTER, OPENING, OTHER, STOP, WORD, Around
from tgllm.bot.rendering.emphasis.hidden import STAR, UNDERSCORE
from tgllm.bot.rendering.emphasis.roles import NEITHER, NONE, WEAK, Role

__all__ = ["Names"]

_TOKEN = re.compile(f"[0-9A-Za-z\u00aa-\u058f\u1e00-\u1fff{UNDERSCORE}]++")
_PATH_BEFORE = re.compile(r"\w[./\\]")
_PATH_AFTER = re.compile(r"[./\\]\w")
_ANY_WORD = frozenset({WORD, LETTER})


class Names:
    """Words of a paragraph that have underscores."""

    def __init__(self, text: str) -> None:
        spans = [found.span() for found in _TOKEN.finditer(text)] if UNDERSCORE in text else []
        self._text = text
        self._starts = [start for start, _ in spans]
        self._are_names = [
            _is_name(text[start:end], text[max(start - 2, 0) : start], text[end : end + 2]) for start, end in spans
        ]

    def role(self, around: Around, sides: Role) -> Role:
        """Return what underscores may do: within words and in names they are text.

        Args:
            around: of the run.
            sides: what its neighbours allow.
        """
        opens, closes = sides
        left, right = around.left, around.right
        if self._are_names[bisect_right(self._starts, around.start) - 1]:
            return NEITHER
        if left in _ANY_WORD and right in _ANY_WORD:
            return sides if around.end - around.start > 1 and LETTER in {left, right} else NEITHER
        if (
            left == WORD
            or (left == LETTER and right != OPENING)
            or _PATH_BEFORE.fullmatch(self._text, around.start - 2, around.start)
        ):
            opens = NONE
        if right == WORD:
            is_closed = left in {CLOSING, STOP} and around.before not in ")]}"
            closes = min(closes, WEAK if is_closed else NONE)
        elif right == LETTER and left not in {CLOSING, STOP, OTHER}:
            closes = NONE
        # A placeholder of SQL, as in ``LIKE '%_a_%'``.
        opens = NONE if around.before == "%" else opens
        closes = NONE if around.after == "%" else closes
        return (min(opens, WEAK), min(closes, WEAK)) if self._is_beside_glob(around) else (opens, closes)

    def _is_beside_glob(self, around: Around) -> bool:
        """Return whether one underscore stands between one asterisk and a word: ``*_test.py``."""
        text, start, end = self._text, around.start, around.end
        if end - start > 1:
            return False
        if around.right == WORD and around.before == STAR:
            return not text.endswith(STAR * 2, 0, start)
        return around.left == WORD and around.after == STAR and not text.startswith(STAR * 2, end)


def _is_name(token: str, before: str, after: str) -> bool:
    """Return whether a word is a name such as ``snake_case`` or ``__init__``, or part of one, as in ``_x_.py``."""
    core = token.strip(UNDERSCORE)
    if UNDERSCORE in core or (not core and before[-1:] == STAR == after[:1]):
        return True
    # An underscore alone behind a full stop ends the emphasis of a sentence.
    is_in_path = (core and _PATH_BEFORE.fullmatch(before)) or _PATH_AFTER.fullmatch(after)
    if token[0] == token[-1] == UNDERSCORE and is_in_path:
        return True
    is_dunder = token == UNDERSCORE * 2 + core + UNDERSCORE * 2
    return is_dunder and core.isascii() and (core.islower() or core.isupper())
