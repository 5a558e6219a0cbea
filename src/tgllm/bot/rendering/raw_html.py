"""Raw HTML in an answer: ``<details>`` is a collapsible block, everything else is text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["HtmlPiece", "escaped_html", "html_pieces"]

_DETAILS = re.compile(
    r"<details(?P<attributes>(?:\s[^<>]*+)?)>"
    r"(?:\s*+<summary(?:\s[^<>]*+)?>(?P<summary>(?:[^<]|<(?!/?(?:summary|details)\b)){0,500}+)</summary>)?"
    r"|(?P<close></details\s*+>)",
    re.IGNORECASE,
)
_TAG_AT_LINE_START = re.compile(r"^([ \t]*+)<(?=[A-Za-z/!?])(?![A-Za-z][A-Za-z0-9+.-]*+:)", re.MULTILINE)
_BREAK_AT_LINE_START = re.compile(r"^[ \t]*+<br\s*+/?>", re.MULTILINE | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*+>")


@dataclass(frozen=True, slots=True)
class HtmlPiece:
    """A part of a block of HTML."""

    kind: Literal["text", "open", "close"]
    text: str = ""
    """The text; the summary where details begin."""
    is_open: bool = False


def html_pieces(html: str) -> Iterator[HtmlPiece]:
    """Yield the opening and closing tags of details, and the text between them."""
    done = 0
    for match in _DETAILS.finditer(html):
        if match.start() > done:
            yield HtmlPiece("text", html[done : match.start()])
        done = match.end()
        if match["close"]:
            yield HtmlPiece("close", match.group())
        else:
            summary = _TAG.sub("", match["summary"] or "")
            yield HtmlPiece("open", " ".join(summary.split()) or "…", "open" in match["attributes"].lower().split())
    if done < len(html):
        yield HtmlPiece("text", html[done:])


def escaped_html(html: str) -> str:
    """Return the HTML as Markdown in which no line begins with a tag, so that no line begins an HTML block."""
    html = _BREAK_AT_LINE_START.sub("", html)
    return _TAG_AT_LINE_START.sub(r"\1\\<", html)
