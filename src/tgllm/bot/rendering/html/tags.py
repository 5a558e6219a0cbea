"""HTML tags that models use for formatting, and their attributes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

from tgllm.bot.rendering.document import Style

__all__ = ["CODE", "INLINE_NAMES", "PARTS", "PLAIN", "STYLES", "HtmlTag", "attributes_of"]

STYLES: Mapping[str, Style] = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "cite": "italic", "var": "italic", "dfn": "italic",
    "u": "underline", "ins": "underline", "s": "strikethrough", "del": "strikethrough", "strike": "strikethrough",
    "mark": "marked", "sub": "subscript", "sup": "superscript", "tg-spoiler": "spoiler", "spoiler": "spoiler",
}  # fmt: skip
CODE = frozenset({"code", "kbd", "samp", "tt"})
PLAIN = frozenset({"span", "font", "small", "big", "abbr", "acronym", "bdi", "nobr", "label", "time", "data", "q", "a"})
"""Tags whose text alone is shown, some with an address or quotation marks."""
PARTS = frozenset({"p", "div", "center", "section", "article", "header", "footer", "main", "figure", "figcaption"})
"""Tags of parts of a page, which begin a new line."""
VOID = frozenset({"br", "wbr", "img"})
INLINE_NAMES = "|".join(sorted(STYLES.keys() | CODE | PLAIN | VOID, key=len, reverse=True))
"""Pattern of the names of tags within a paragraph."""

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+)(?P<rest>[^<>]*+)>")
_ATTRIBUTE = re.compile(r"([A-Za-z-]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'=<>`]++)))?")


@dataclass(frozen=True, slots=True)
class HtmlTag:
    """A tag within a paragraph."""

    text: str
    """As it is written."""
    start: int
    """Byte of the source at which it begins."""
    end: int
    name: str = ""
    """In lower case; empty for comments and the like."""
    is_closing: bool = False

    @classmethod
    def of(cls, text: str, start: int, end: int) -> "HtmlTag":
        """Return the tag that a text is."""
        found = _TAG.fullmatch(text)
        if found is None:
            return cls(text, start, end)
        return cls(text, start, end, found["name"].lower(), found["close"] != "")


def attributes_of(tag: str) -> Mapping[str, str]:
    """Return the attributes of a tag by their names in lower case; those without a value are empty."""
    found = _TAG.fullmatch(tag)
    rest = "" if found is None else found["rest"]
    return {each[1].lower(): unescape(each[2] or each[3] or each[4] or "") for each in _ATTRIBUTE.finditer(rest)}
