"""Limits the nesting of quotes and lists where the parser would take quadratic time.

The parser compares each line with all the containers that are open, and a line that continues a paragraph needs no
marker of its own: one line of ``>`` and many lines below it cost their product.
"""

import re

from tgllm.bot.rendering.source.code import outside_code, replaced

__all__ = ["with_bounded_nesting"]

MOST_COST = 20
"""Most open containers that are compared with lines, for each character of the source."""

_MARKERS = r"(?:[ \t]*+(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))){24}+"
"""As many as would be shown twice; deeper ones are text."""
_MANY = re.compile(rf"^{_MARKERS}", re.MULTILINE)
_MANY_OUTSIDE_CODE = outside_code(rf"^(?P<head>{_MARKERS}[ \t]*+\d*+)(?=[>*+\-.)])(?P<rest>[^\n]*+)")
_RULE = re.compile(r"[ \t]*+(?:(?:-[ \t]*+)++|(?:\*[ \t]*+)++)")
_PREFIX = " \t>*+-.)0123456789"
_DEEP = re.compile(r"^([ \t>*+\-\d.)]{48}[ \t\d]*+)(?=[>*+\-.)])", re.MULTILINE)


def with_bounded_nesting(markdown: str) -> str:
    """Return the Markdown with deep markers of quotes and lists escaped."""
    if _MANY.search(markdown):
        markdown = replaced(markdown, _MANY_OUTSIDE_CODE, _escaped)
    # What looks like code here is perhaps none to the parser, and lists can also be nested line by line.
    if _DEEP.search(markdown) and _cost(markdown) > MOST_COST * len(markdown):
        return _DEEP.sub(r"\1\\", markdown)
    return markdown


def _escaped(line: re.Match[str]) -> tuple[str, int] | None:
    if _RULE.fullmatch(line[0]):
        return None
    return f"{line['head']}\\{line['rest']}", line.end()


def _cost(markdown: str) -> int:
    """Return an upper bound of the open containers, summed over all lines."""
    cost = depth = 0
    was_blank = True
    for line in markdown.split("\n"):
        is_blank = not line or line.isspace()
        if not is_blank:
            # Each level takes at least one character of the prefix; without a blank line, deeper ones may go on.
            prefix = len(line) - len(line.lstrip(_PREFIX))
            depth = prefix if was_blank else max(depth, prefix)
        was_blank = is_blank
        cost += depth
    return cost
