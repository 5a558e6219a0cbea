"""Reader of HTML, as Markdown."""

import importlib
import re
from pathlib import Path
from typing import BinaryIO

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text
from tgllm.plugins.builtin.files.shared.encoding import detect, known_encoding
from tgllm.plugins.builtin.files.shared.html_walk import HtmlWriter
from tgllm.plugins.builtin.files.shared.reading import read_file

__all__ = ["extract", "write", "write_html"]

_MOST_BYTES = 32 * 1024 * 1024
"""More is cut: a parsed page takes ten times its size."""
_DEEPEST = 2_000
"""Nesting above which the parser's time grows with the square; such pages are read without their structure."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{2,40})", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>")
_UNCLOSED = frozenset(
    ["area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
     "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr"]
)  # fmt: skip
_UNSEEN = re.compile(r"<(script|style|head)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return a page as Markdown: headings, lists, tables, links and code; what is not shown is left out."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, _name: str, builder: TextBuilder) -> str:
    """Add a page."""
    data = stream.read(_MOST_BYTES)
    encoding = _declared_encoding(data[:2048])
    guessed = ""
    stream.seek(0)
    found = detect(stream)
    if not found.guessed or encoding is None:
        encoding, guessed = found.name, found.name if found.guessed else ""
    write_html(data.decode(encoding, "replace"), builder)
    if stream.seek(0, 2) > _MOST_BYTES:
        builder.truncated = True
    return guessed


def write_html(page: str, builder: TextBuilder) -> None:
    """Add a page that is decoded, such as the chapter of a book."""
    if _depth(page) > _DEEPEST:
        unescape = importlib.import_module("html").unescape
        text: str = unescape(_TAG.sub(" ", _UNSEEN.sub(" ", page)))
        builder.add(clean_text(re.sub(r"[ \t\r\f\v]+", " ", text)))
        return
    HtmlWriter(builder).write(page)


def _declared_encoding(head: bytes) -> str | None:
    """Return the encoding that a page declares, if Python knows it."""
    match = _CHARSET.search(head) or _XML_ENCODING.search(head)
    if match is None:
        return None
    return known_encoding(match[1].decode())


def _depth(page: str) -> int:
    """Return about how deep the elements of a page are nested."""
    depth = deepest = 0
    for match in _TAG.finditer(page):
        if match[3] or match[2].lower() in _UNCLOSED:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest
