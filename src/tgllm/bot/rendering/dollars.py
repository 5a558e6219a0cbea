"""Dollar signs that begin no formula: amounts of money, ``5$ or 10$``, variables of a shell, and signs around code.

The parser itself wants no space behind the opening sign nor before the closing one.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from tgllm.bot.rendering.commonmark import parser_events

__all__ = ["with_plain_prices"]

_PERHAPS = re.compile(r"\d\$[^$\\^_{}]*\d\$|\$[^$`]*`[^$]*\$|\$[^$\s](?:[^$]*[^$\s])?\$[A-Za-z_{(]")
_BETWEEN = re.compile(r"[^\\^_{}]*\d")
_BEFORE_NAME = re.compile(r"(?:\{[A-Za-z_]\w*\}|[A-Z][A-Z\d_]+(?=[/:]))[^\\^{}]*|[^\\^{}]*[/:=.,;&|-]")
"""``$HOME/bin:`` and ``$a-``, if ``$NAME``, ``${name}`` or ``$(call)`` follows."""


def with_plain_prices(markdown: str) -> str:
    """Markdown in which what stands between two such signs is text.

    Args:
        markdown: without lone surrogates.
    """
    # What is escaped pairs the signs after it anew, which may be amounts again; each round has half as many left.
    while _PERHAPS.search(markdown) and (places := [*_false_formulas(markdown)]):
        source = markdown.encode()
        bounds = [0, *places, len(source)]
        pieces = [source[start:end] for start, end in pairwise(bounds)]
        markdown = b"\\".join(pieces).decode()
    return markdown


def _false_formulas(markdown: str) -> Iterator[int]:
    """Where they begin, in bytes."""
    source = markdown.encode()
    for kind, value, start, end in parser_events(markdown):
        if kind != "InlineMath":
            continue
        is_behind_number = source[max(start - 1, 0) : start].isdigit()
        # Code binds tighter than a formula, and no formula has a backtick.
        if "`" in value or (is_behind_number and _BETWEEN.fullmatch(value)) or _goes_on(value, source[end : end + 1]):
            yield start


def _goes_on(tex: str, after: bytes) -> bool:
    """Whether the closing sign rather begins a variable; signs between the two may have been escaped before."""
    is_name = after.isalpha() or after in {b"_", b"{", b"("}
    return is_name and _BEFORE_NAME.fullmatch(tex.replace(r"\$", "$")) is not None
