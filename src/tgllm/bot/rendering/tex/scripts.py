# ruff: noqa: RUF001 - primes
"""Superscripts, subscripts, fractions, roots and accents as text."""

import re
import unicodedata

from tgllm.bot.rendering.tex.symbols import ACCENTS, LOWERED, RAISED

__all__ = ["accented", "chemical", "fraction", "grouped", "negated", "root", "script"]

_PRIMES = frozenset("′'″‴")
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_NUMBER = re.compile(r"\d++(?:[.,]\d++)?+")
_ATOMS = re.compile(r"(?<=[A-Za-z)\]])\d++")
_REACTIONS = {"<=>": "⇌", "<->": "↔", "->": "→"}
_LINES = frozenset({"overline", "underline"})
_ARROWS = frozenset({"vec", "overrightarrow"})


def script(mark: str, content: str) -> str:
    """Return a superscript or subscript: small characters if there is one for each, else ``^(...)`` or ``_(...)``."""
    content = content.strip()
    if mark == "^" and content:
        if not _PRIMES.issuperset(content):
            content = "°" if content == "∘" else content
        if _PRIMES.issuperset(content) or content == "°":
            return content
    bare = content.replace(" ", "")
    small = bare.translate(RAISED if mark == "^" else LOWERED)
    if content not in {"(", ")"} and not any(char in small for char in bare):
        return small
    enclosing = _enclosing(content)
    content = content[enclosing : len(content) - enclosing].strip()
    return mark + (content if len(content) == 1 else f"({content})")


def fraction(above: str, below: str) -> str:
    """Return a fraction on one line; without a denominator, as in an unfinished formula, what is above the line."""
    if not below.strip():
        return above.strip()
    return f"{grouped(above)}/{grouped(below)}"


def negated(content: str) -> str:
    """Return a relation that is struck out."""
    relation, rest = content.strip()[:1], content.strip()[1:]
    return unicodedata.normalize("NFC", relation + "\u0338") + rest if relation else ""


def chemical(source: str) -> str:
    """Return a chemical formula, with small numbers of atoms."""
    for name, arrow in _REACTIONS.items():
        source = source.replace(name, arrow)
    return _ATOMS.sub(lambda found: found[0].translate(LOWERED), source)


def root(content: str, degree: str = "") -> str:
    """Return a root."""
    sign = _ROOTS.get(degree.strip())
    return (script("^", degree) + "√" if sign is None else sign) + (grouped(content) if content.strip() else "")


def grouped(content: str) -> str:
    """Return an operand, in parentheses unless it is one word, number or group."""
    content = content.strip()
    is_word = all(char.isalnum() or unicodedata.combining(char) for char in content)
    is_one = (is_word and content) or _NUMBER.fullmatch(content) or _enclosing(content)
    return content if is_one else f"({content})"


def accented(name: str, content: str) -> str:
    """Return a letter with an accent; an accent over a longer text is a line, an arrow, or a name."""
    content = content.strip()
    accent = ACCENTS[name]
    if len(content) <= 1 or name in _ARROWS:
        return unicodedata.normalize("NFC", content + accent) if content else ""
    if name in _LINES:
        return "".join([char if char.isspace() else char + accent for char in content])
    return f"{name.removeprefix('wide')}({content})"


def _enclosing(content: str) -> int:
    """Return how many pairs of parentheses enclose the whole."""
    before = len(content) - len(content.lstrip("("))
    after = len(content) - len(content.rstrip(")"))
    if not before or not after:
        return 0
    lowest = depth = before
    for char in content[before : len(content) - after]:
        depth += (char == "(") - (char == ")")
        lowest = min(lowest, depth)
    return max(min(before, after, lowest), 0) if depth == after else 0
