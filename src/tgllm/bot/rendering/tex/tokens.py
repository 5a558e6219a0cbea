"""Tokens of a LaTeX formula, and which of them belong together."""

import re
from collections.abc import Mapping

__all__ = ["paired", "tokens"]

_TOKEN = re.compile(r"\\(?:begin|end)[ ]*+\{[^{}\\]*+\}|\\(?:operatorname\*|[A-Za-z]++|.)|\s++|.", re.DOTALL)
_OPENING: Mapping[str, str] = {"{": "}", "(": ")", "\\left": "\\right", "[": "]"}
_CLOSING: Mapping[str, str] = {closing: opening for opening, closing in _OPENING.items()}
_WEAK = frozenset("([")
"""Brackets that may also stand alone, as in ``[0, 1)``."""


def tokens(tex: str) -> list[str]:
    """Return the commands, spaces and characters of a formula; the name of an environment belongs to its command."""
    return [found[0] for found in _TOKEN.finditer(tex)]


def paired(items: list[str]) -> dict[int, int] | None:
    """Return the place of the closing token for that of each opening one; None if a closing one has no opening one.

    Groups that are not closed end with the formula.
    """
    pairs: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    for place, token in enumerate(items):
        if token in _OPENING:
            opened.append((token, place))
        elif token.startswith("\\begin") and token.endswith("}"):
            opened.append((token.replace("\\begin", "\\end").replace(" ", ""), place))
        elif (opening := _CLOSING.get(token)) is not None or (token.startswith("\\end") and token.endswith("}")):
            wanted = token.replace(" ", "") if opening is None else opening
            if wanted in _WEAK:
                if opened and opened[-1][0] == wanted:
                    pairs[opened.pop()[1]] = place
                continue
            while opened and opened[-1][0] in _WEAK:
                opened.pop()
            if not opened or opened[-1][0] != wanted:
                return None
            pairs[opened.pop()[1]] = place
    pairs.update((place, len(items)) for token, place in opened if token not in _WEAK)
    return pairs
