"""Blocks of raw HTML in an answer, in pieces: tags of blocks, and the text between them, which may be Markdown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tgllm.bot.rendering.html.tags import INLINE_NAMES, PARTS

__all__ = ["BLOCK_NAMES", "HtmlPiece", "closed_names", "escaped_html", "html_pieces"]

BLOCK_NAMES = PARTS | {
    "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
}  # fmt: skip
_NAMES = "|".join(sorted(BLOCK_NAMES - {"pre"}, key=len, reverse=True))
_PIECE = re.compile(
    r"<details(?P<attributes>(?:\s[^<>]*+)?)>"
    r"(?:\s*+<summary(?:\s[^<>]*+)?>(?P<summary>(?:[^<]|<(?!/?(?:summary|details)\b)){0,500}+)</summary>)?"
    r"|(?P<close></details\s*+>)"
    r"|<pre(?:\s[^<>]*+)?>(?P<pre>(?:[^<]|<(?!/pre\b))*+)(?P<end></pre\s*+>)?"
    rf"|<(?P<slash>/?)(?P<name>{_NAMES})(?=[\s/>])[^<>]*+>",
    re.IGNORECASE,
)
_BLOCK_TAG = re.compile(rf"</?(?:{_NAMES})(?=[\s/>])[^<>]*+>", re.IGNORECASE)
_CLOSING = re.compile(r"</([a-z][a-z0-9]*+)", re.IGNORECASE)
_TAG_AT_LINE_START = re.compile(
    rf"^([ \t]*+)<(?=[A-Za-z/!?])(?![A-Za-z][A-Za-z0-9+.-]*+:)(?!/?(?:{INLINE_NAMES})[\s/>])",
    re.MULTILINE | re.IGNORECASE,
)
_LONE_OPENING = re.compile(rf"^[ \t]*+(<(?:{INLINE_NAMES})(?:\s[^<>]*+)?>)[ \t]*+\n", re.MULTILINE | re.IGNORECASE)
_LONE_CLOSING = re.compile(rf"\n[ \t]*+(</(?:{INLINE_NAMES})\s*+>)[ \t]*+(?![^\n])", re.IGNORECASE)
_BREAK_AT_LINE_START = re.compile(r"^[ \t]*+<br\s*+/?>", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HtmlPiece:
    """A part of a block of HTML."""

    kind: Literal["text", "open", "closed", "pre", "tag"]
    """``open`` and ``closed`` are those of details; ``pre`` is preformatted text."""
    text: str = ""
    """The text; the summary where details begin; the whole tag."""
    is_open: bool = False
    """Whether details are shown unfolded."""
    name: str = ""
    """Name of a tag, in lower case."""
    is_closing: bool = False
    """Whether it is a closing tag; whether preformatted text is closed."""
    source: str = ""
    """Preformatted text with its tags."""


def html_pieces(html: str) -> Iterator[HtmlPiece]:
    """Yield the tags of blocks, and the text between them."""
    done = 0
    for match in _PIECE.finditer(html):
        if match.start() > done:
            yield HtmlPiece("text", html[done : match.start()])
        done = match.end()
        if match["close"]:
            yield HtmlPiece("closed", match.group())
        elif match["pre"] is not None:
            yield HtmlPiece("pre", match["pre"], source=match.group(), is_closing=match["end"] is not None)
        elif match["name"]:
            yield HtmlPiece("tag", match.group(), name=match["name"].lower(), is_closing=match["slash"] != "")
        else:
            summary = _BLOCK_TAG.sub(" ", match["summary"] or "")
            yield HtmlPiece("open", summary, "open" in match["attributes"].lower().split())
    if done < len(html):
        yield HtmlPiece("text", html[done:])


def closed_names(source: str) -> frozenset[str]:
    """Return the names of all closing tags of a source, in lower case."""
    return frozenset([name.lower() for name in _CLOSING.findall(source)])


def escaped_html(html: str) -> str:
    """Return the HTML as Markdown in which no line begins an HTML block.

    Unknown tags at the start of a line are escaped. Tags within paragraphs that have a line of their own are moved to
    the text that they enclose.
    """
    html = _BREAK_AT_LINE_START.sub("", html)
    html = _LONE_CLOSING.sub(r"\1", _LONE_OPENING.sub(r"\1", html))
    return _TAG_AT_LINE_START.sub(r"\1\\<", html)
