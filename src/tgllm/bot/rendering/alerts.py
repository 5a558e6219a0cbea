# ruff: noqa: RUF001 - a sign that looks like a letter
"""Headings of quotes that begin with a kind, such as ``[!NOTE]``. GitHub: "Alerts"."""

import re
from collections.abc import Mapping

from tgllm.bot.rendering.document import Block, Paragraph, Styled, Text

__all__ = ["with_heading"]

_SIGNS: Mapping[str, str] = {
    "note": "ℹ️", "info": "ℹ️", "tip": "💡", "hint": "💡", "important": "❗", "warning": "⚠️", "attention": "⚠️",
    "caution": "🛑", "danger": "🛑", "error": "🛑",
}  # fmt: skip
_KIND = re.compile(r"\s*+\[!([^\W\d_]{2,20}+)\][-+]?[ \t]*+\n?")


def with_heading(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks of a quote with its kind as a bold heading; unchanged if it has none."""
    if not blocks or not isinstance(first := blocks[0], Paragraph) or not isinstance(text := first.inlines[0], Text):
        return blocks
    found = _KIND.match(text.text)
    if found is None:
        return blocks
    kind = found[1].capitalize()
    heading = Styled("bold", (Text(f"{_SIGNS.get(kind.lower(), '')} {kind}".strip()),))
    rest = text.text[found.end() :]
    inlines = (*([Text(rest)] if rest else []), *first.inlines[1:])
    return (Paragraph((heading, Text("\n"), *inlines) if inlines else (heading,)), *blocks[1:])
