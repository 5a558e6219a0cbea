"""Escapes dollar signs that begin no formula: amounts of money, ``5$ or 10$``, shell variables, signs around code.

The parser itself requires that no space follows the opening sign or precedes the closing one.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from tgllm.bot.rendering.source.commonmark import parser_events

__all__ = ["with_plain_prices"]

MOST_ROUNDS = 8
"""Most times that the source is parsed; enough for 256 amounts in a paragraph. With more, it has no formulas."""

_PERHAPS = re.compile(r"\d\$[^$\\^_{}]*\d\$|\$[^$`]*`[^$]*\$|\$[^$*]*\*\*[^$]*\$|\$[^$\s](?:[^$]*[^$\s])?\$[\w{(]")
_BETWEEN = re.compile(r"[^\\^_{}]*\d")
_BOLD = re.compile(r"\d[^\\^_{}*]*+\*\*[^\\^_{}]*+")
"""An amount at the end of bold text, and what follows."""
_BEFORE_NAME = re.compile(r"(?:\{[A-Za-z_]\w*\}|[A-Z][A-Z\d_]+(?=[/:]))[^\\^{}]*|[^\\^{}]*[/:=.,;&|-]")
"""``$HOME/bin:`` and ``$a-``, if ``$NAME``, ``${name}`` or ``$(call)`` follows."""
_NAME = re.compile(r"[A-Za-z]\w+[^\\^{}]*")
"""``$MY_NAME and ~``, if an amount follows."""


def with_plain_prices(markdown: str) -> tuple[str, bool]:
    """Return the Markdown with such dollar signs escaped, and whether the other ones may begin formulas.

    Args:
        markdown: without lone surrogates.
    """
    # Escaping a sign changes how the later ones pair, and they may be amounts again; each round halves their number.
    for _ in range(MOST_ROUNDS):
        if not _PERHAPS.search(markdown) or not (places := [*_false_formulas(markdown)]):
            return markdown, True
        source = markdown.encode()
        bounds = [0, *places, len(source)]
        pieces = [source[start:end] for start, end in pairwise(bounds)]
        markdown = b"\\".join(pieces).decode()
    return markdown, False


def _false_formulas(markdown: str) -> Iterator[int]:
    """Yield the byte offsets at which they begin."""
    source = markdown.encode()
    for kind, value, start, end in parser_events(markdown):
        if kind != "InlineMath":
            continue
        is_behind_number = source[max(start - 1, 0) : start].isdigit()
        # Code binds tighter than a formula, and no formula has a backtick; two asterisks are of bold amounts.
        if (
            "`" in value
            or _BOLD.fullmatch(value.replace(r"\$", "$"))
            or (is_behind_number and _BETWEEN.fullmatch(value))
            or _goes_on(value, source[end : end + 1])
        ):
            yield start


def _goes_on(tex: str, after: bytes) -> bool:
    """Return whether the closing sign begins a variable; signs between the two may have been escaped before."""
    if after.isdigit():
        return _NAME.fullmatch(tex) is not None
    is_name = after.isalpha() or after in {b"_", b"{", b"("}
    return is_name and _BEFORE_NAME.fullmatch(tex.replace(r"\$", "$")) is not None
