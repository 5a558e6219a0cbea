"""Closes HTML formats at the end of a paragraph, and opens them again in the next one."""

import re

from tgllm.bot.rendering.html.tags import STYLES
from tgllm.bot.rendering.source.code import outside_code, replaced

__all__ = ["with_formats_by_paragraph"]

_NAMES = "|".join(sorted(STYLES, key=len, reverse=True))
_TAGS = re.compile(rf"<(?P<slash>/?)(?P<name>{_NAMES})(?=[\s>])[^<>]*+>", re.IGNORECASE)
_TOKEN = outside_code(
    rf"<(?P<slash>/?)(?P<name>{_NAMES})(?=[\s>])[^<>]*+>|(?P<blank>\n[ \t]*+\n\s*+)(?P<next>[^\n]{{0,4}}+)",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?!\d{1,9}[.)])[\w*\"'«“(\[$]")


def with_formats_by_paragraph(markdown: str) -> str:
    """Return the Markdown in which no format goes on behind a blank line; only those that are closed are changed."""
    if "\n" not in markdown or not _TAGS.search(markdown):
        return markdown
    last: dict[str, int] = {}
    for found in _TAGS.finditer(markdown):
        if found["slash"]:
            last[found["name"].lower()] = found.start()
    opened: dict[str, bool] = {}
    """Names of formats in their order, and whether they are open in this paragraph."""

    def new(token: re.Match[str]) -> tuple[str, int] | None:
        if token["blank"] is not None:
            return _at_blank_line(token, opened)
        name = token["name"].lower()
        if not token["slash"]:
            if name not in opened and last.get(name, -1) > token.end():
                opened[name] = True
            return None
        # What was not opened again needs no end.
        return None if opened.pop(name, True) else ("", token.end())

    return replaced(markdown, _TOKEN, new)


def _at_blank_line(token: re.Match[str], opened: dict[str, bool]) -> tuple[str, int] | None:
    if not opened:
        return None
    closing = "".join([f"</{name}>" for name in reversed(opened) if opened[name]])
    goes_on = _PLAIN.match(token["next"]) is not None
    opening = "".join([f"<{name}>" for name in opened]) if goes_on else ""
    for name in opened:
        opened[name] = goes_on
    return closing + token["blank"] + opening, token.start("next")
