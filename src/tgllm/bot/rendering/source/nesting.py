"""Limits the nesting of quotes and lists where the parser would take quadratic time.

The parser compares each line with all the containers that are open, and a line that continues a paragraph needs no
marker of its own: one line of ``>`` and many lines below it cost their product.
"""

import re

__all__ = ["with_bounded_nesting"]

MOST_COST = 20
"""Most open containers that are compared with lines, for each character of the source."""

_PREFIX = re.compile(r"[ \t>*+\-\d.)]*+")
_DEEP = re.compile(r"^([ \t>*+\-\d.)]{48}[ \t\d]*+)(?=[>*+\-.)])", re.MULTILINE)


def with_bounded_nesting(markdown: str) -> str:
    """Return the Markdown, with deep markers of quotes and lists escaped if they would cost too much."""
    if _DEEP.search(markdown) is None or _cost(markdown) <= MOST_COST * len(markdown):
        return markdown
    return _DEEP.sub(r"\1\\", markdown)


def _cost(markdown: str) -> int:
    """Return an upper bound of the open containers, summed over all lines."""
    cost = depth = 0
    was_blank = True
    for line in markdown.split("\n"):
        is_blank = not line or line.isspace()
        if not is_blank:
            # Each level takes at least one character of the prefix; without a blank line, deeper ones may go on.
            prefix = len(_PREFIX.match(line)[0])  # pyright: ignore[reportOptionalSubscript]  it matches everything
            depth = prefix if was_blank else max(depth, prefix)
        was_blank = is_blank
        cost += depth
    return cost
