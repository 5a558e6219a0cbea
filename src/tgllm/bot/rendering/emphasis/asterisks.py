"""Tells emphasis from operators, globs, pointers and arguments, which are written with asterisks too."""

from tgllm.bot.rendering.emphasis.characters import (
    CLOSING,
    LETTER,
    NODE,
    OPENING,
    OTHER,
    SIGN,
    SPACE,
    STOP,
    WORD,
    Around,
)
from tgllm.bot.rendering.emphasis.hidden import STAR
from tgllm.bot.rendering.emphasis.roles import BOTH, NEITHER, NONE, STRONG, WEAK, Role

__all__ = ["role_of_one", "role_of_several"]

_BRACKETS = frozenset("([{")
_CLOSED = frozenset(")]}")
_ANY_WORD = frozenset({WORD, LETTER})


def role_of_one(around: Around, *, is_formula: bool) -> Role:
    """Return what one asterisk may do.

    Args:
        around: of the run.
        is_formula: whether an equals sign stands before it in its sentence.
    """
    opens, closes = _role_of_one(around, is_formula=is_formula)
    is_glob_after, is_glob_before = around.is_before_underscore(), around.is_behind_underscore()
    return min(opens, WEAK) if is_glob_after else opens, min(closes, WEAK) if is_glob_before else closes


def _role_of_one(around: Around, *, is_formula: bool) -> Role:
    left, right = around.left, around.right
    if _is_glob(around):
        return NEITHER
    if "/" in (around.before, around.after):
        return _role_of_one_in_path(around)
    if SPACE in {left, right}:
        return BOTH
    if LETTER in {left, right}:
        # Products of such letters, and of numbers with them.
        is_between = left in _ANY_WORD and right in _ANY_WORD
        is_product = is_between and (is_formula or around.before.isdigit() or around.after.isdigit())
        return NEITHER if is_product else BOTH
    if not (around.before + around.after).isascii() and not {left, right} <= {WORD}:
        return (NONE, STRONG) if right == STOP else BOTH
    return _role_of_one_in_ascii(around)


def _is_glob(around: Around) -> bool:
    """Return whether the asterisk belongs to a name of files, a statement or an operator: ``*.py``, ``*=``."""
    after, then = around.after, around.char(around.end + 1)
    if after == "." and around.left != LETTER:
        return around.is_before_suffix() or then in {STAR, "{", "["}
    return after in "=,;:" and (around.left == SPACE or around.before in _BRACKETS)


def _role_of_one_in_path(around: Around) -> Role:
    """Return what one asterisk beside a slash may do: ``a/*``, ``/*b*/``, ``*his*/*her*``."""
    if around.before == around.after or SPACE in {around.left, around.right}:
        return NEITHER
    return (WEAK, NONE) if around.before == "/" else (NONE, WEAK)


def _role_of_one_in_ascii(around: Around) -> Role:
    left, right, before = around.left, around.right, around.before
    is_call = around.after in _BRACKETS
    if (left == WORD or before in _CLOSED) and (right == WORD or (before in _CLOSED and is_call)):
        return NEITHER
    if left == WORD and is_call:
        return NONE, (NONE if around.is_factor_before() else WEAK)
    if right == WORD and left != OPENING:
        is_repeated = left == CLOSING and around.after.isdigit()
        return NEITHER if is_repeated else (NONE if before == "." else WEAK, NONE if left == SIGN else WEAK)
    if left == WORD and right == OPENING:
        return WEAK, STRONG
    if left == WORD or before == ".":
        return NONE, (NONE if around.is_before_number() else STRONG)
    return BOTH


def role_of_several(around: Around) -> Role:  # noqa: PLR0911  one case for each pair of neighbours
    """Return what two or more asterisks may do: they can be a power, a glob, or stand before arguments."""
    left, right, before, after = around.left, around.right, around.before, around.after
    if "/" in (before, after):
        return _role_of_several_in_path(around)
    if left == SPACE:
        return NEITHER if after in "=,;" else BOTH
    if right == SPACE or left in {LETTER, OTHER, OPENING} or right in {LETTER, OTHER} or NODE in (before, after):
        return BOTH
    if left == WORD and right == WORD:
        if after.isdigit():
            return NEITHER if around.is_factor_before() else (WEAK, WEAK)
        return (WEAK, WEAK) if around.is_factor_before() and around.is_factor_after() else BOTH
    if left == WORD and after in _BRACKETS:
        return NEITHER if around.is_factor_before() else (WEAK, STRONG)
    if before == "," or (right == WORD and before.isascii() and left != STOP):
        return NEITHER if before in _CLOSED and after.isdigit() else (WEAK, WEAK)
    if left == WORD and after.isascii():
        return NEITHER if around.is_before_number() else (WEAK if right == OPENING else NONE, STRONG)
    return BOTH


def _role_of_several_in_path(around: Around) -> Role:
    """Return what several asterisks beside a slash may do: ``**/*.py``, ``**A**/**B**``, ``**https://a.b/**``."""
    left, right = around.left, around.right
    if around.before == around.after:
        return NEITHER
    if around.after == "/":
        return (WEAK if left == SPACE else NONE), (STRONG if left in {WORD, LETTER, CLOSING} else WEAK)
    return (STRONG if right in {WORD, LETTER, OTHER} else NONE), (NONE if right == WORD else WEAK)
