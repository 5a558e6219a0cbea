"""Text of a downloaded document: its character set and its kind."""

import codecs
import re
from typing import Literal

from tgllm.api.errors import ToolFailed
from tgllm_web.fetching import Document

__all__ = ["decoded", "kind_of"]

Kind = Literal["html", "text"]

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = frozenset({"application/json", "application/xml", "application/javascript", "application/yaml"})
_META = re.compile(rb"<meta[^>]{0,200}charset\s{0,5}=\s{0,5}[\"']?\s{0,5}([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"\s{0,20}<\?xml[^>]{0,200}encoding\s{0,5}=\s{0,5}[\"']([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_HEAD = 4096
"""Bytes in which a page names its character set."""
_FALLBACK = "windows-1252"
"""Decodes any bytes; what browsers take."""
_LIKE_BROWSERS = {"iso8859-1": _FALLBACK, "ascii": _FALLBACK}
_NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
"""Codecs of Python that are no character sets; the time of ``punycode`` grows with the square of the length."""
_BINARY_SHARE = 0.02


def kind_of(document: Document) -> Kind:
    """Return how a document is read.

    Raises:
        ToolFailed: it can't be read.
    """
    kind = document.media_type
    start = document.body[:_HEAD]
    if start.startswith(b"%PDF-") or kind == "application/pdf":
        raise ToolFailed("this is a PDF file, which can't be read from the web; the person can send it to the chat")
    if kind in _HTML or (kind == "" and re.match(rb"\s*(<!doctype html|<html)", start, re.IGNORECASE)):
        return "html"
    is_text = kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml"))
    if is_text or (kind in {"", "application/octet-stream"} and _looks_like_text(start)):
        return "text"
    raise ToolFailed(f"this is not a page of text, but {kind or 'a file of unknown kind'}, which can't be read")


def decoded(document: Document) -> str:
    """Decode a document: by its mark of byte order, the header, what it says itself, UTF-8, as browsers do."""
    body = document.body
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, errors="replace")
    for name in (document.charset, _declared(body)):
        if name and (codec := _codec(name)):
            return body.decode(codec, errors="replace")
    try:
        # A cut body may end inside a character.
        return codecs.getincrementaldecoder("utf-8")().decode(body, final=document.is_whole)
    except UnicodeDecodeError:
        return body.decode(_FALLBACK, errors="replace")


def _declared(body: bytes) -> str | None:
    head = body[:_HEAD]
    found = _XML.match(head) or _META.search(head)
    return found[1].decode("ascii") if found else None


def _codec(name: str) -> str | None:
    try:
        # Only codecs of text: others, such as zlib, would decompress.
        codec = codecs.lookup(name)
        "".encode(codec.name)
    except (LookupError, ValueError):
        return None
    # Python has several spellings of a name.
    if codec.name.replace("-", "_") in _NO_CHARSETS:
        return None
    return _LIKE_BROWSERS.get(codec.name, codec.name)


def _looks_like_text(start: bytes) -> bool:
    odd = sum(byte < 9 or 13 < byte < 32 for byte in start)
    return odd <= len(start) * _BINARY_SHARE
