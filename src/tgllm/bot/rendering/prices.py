"""Dollar signs that begin no formula: amounts with the sign behind them, ``5$ or 10$``, and signs around code."""

import re
from collections.abc import Iterator
from itertools import pairwise

from tgllm.bot.rendering.commonmark import parser_events

__all__ = ["with_plain_prices"]

_PERHAPS = re.compile(r"\d\$[^$\\^_{}]*\d\$|\$[^$`]*`[^$]*\$")
_BETWEEN = re.compile(r"[^\\^_{}]*\d")


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
    for kind, value, start, _ in parser_events(markdown):
        if kind != "InlineMath":
            continue
        is_behind_number = source[max(start - 1, 0) : start].isdigit()
        # Code binds tighter than a formula, and no formula has a backtick.
        if "`" in value or (is_behind_number and _BETWEEN.fullmatch(value)):
            yield start
