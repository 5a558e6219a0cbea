"""Kinds of text, by marks in the content, then by the name's ending, then by the claimed type."""

import json
import re

from tgllm.plugins.builtin.files.shared.encoding import decode
from tgllm.plugins.builtin.files.shared.kinds import PLAIN, TextKind, kind_of_name, kind_of_shebang

__all__ = ["text_type"]

_LOOKED_AT = 16_384
_BEGINNINGS = (
    (re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE), "text/html"),
    (re.compile(r"BEGIN:VCALENDAR\s", re.IGNORECASE), "text/calendar"),
    (re.compile(r"BEGIN:VCARD\s", re.IGNORECASE), "text/vcard"),
    (re.compile(r"WEBVTT(\s|$)"), "text/vtt"),
    (
        re.compile(
            r"(<\?xml[^>]*>\s*)?(<!--.{0,2000}?-->\s*|<!doctype\s+svg[^>]*>\s*)*<(svg:)?svg[\s>]",
            re.DOTALL | re.IGNORECASE,
        ),
        "image/svg+xml",
    ),
    (re.compile(r"<\?xml[\s?]"), "text/xml"),
)
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]?\S?.*(\n[ \t].*)*\n", re.MULTILINE)
_MAIL_FIELDS = frozenset(
    {"received", "from", "to", "subject", "date", "message-id", "mime-version", "return-path", "delivered-to"}
)
_HTML_TAGS = re.compile(r"</?(body|head|table|div|p|script|title|meta)[\s>]", re.IGNORECASE)
_NEEDED = {"text/calendar", "text/vcard", "message/rfc822"}
"""Kinds that their content proves: without it, the ending is wrong."""
_HINTED = frozenset(
    {
        "text/plain",
        "text/csv",
        "text/tab-separated-values",
        "application/json",
        "application/x-ndjson",
        "text/xml",
        "text/html",
        "message/rfc822",
        "text/calendar",
        "text/vcard",
        "text/vtt",
        "application/x-subrip",
    }
)
"""Kinds of data, for which strong marks in the content count more than the ending; those of markup and code may contain
such marks."""
_CLAIMS = {
    "application/xml": "text/xml",
    "application/x-javascript": "text/javascript",
    "application/javascript": "text/javascript",
    "text/x-markdown": "text/markdown",
    "text/comma-separated-values": "text/csv",
    "application/csv": "text/csv",
    "text/json": "application/json",
    "application/ics": "text/calendar",
}
_CLAIMABLE = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "text/html",
        "application/json",
        "text/xml",
        "text/markdown",
        "text/javascript",
        "text/css",
        "text/x-python",
    }
)


def text_type(head: bytes, claimed: str, name: str) -> str:
    """Return the MIME type of a text by its first bytes, its name and its claimed type."""
    text = decode(head[:_LOOKED_AT]).lstrip("\ufeff \t\r\n")
    named = kind_of_name(name)
    shown = _shown_type(text, named)
    if shown and (named is None or named.mime in _HINTED):
        return shown
    if named is not None and named.mime not in _NEEDED:
        return named.mime
    by_content = kind_of_shebang(text)
    if by_content is not None:
        return by_content.mime
    claim = claimed.partition(";")[0].strip().lower()
    claim = _CLAIMS.get(claim, claim)
    if named is None and claim in _CLAIMABLE:
        return claim
    return "application/json" if named is None and _is_json(text) else PLAIN.mime


def _shown_type(text: str, named: TextKind | None) -> str | None:
    """Return the type that marks in the content prove."""
    for beginning, mime in _BEGINNINGS:
        if beginning.match(text):
            if mime == "text/xml" and named is not None and named.mime == "text/html":
                return "text/html"
            if mime == "text/xml" and re.search(r"<html[\s>]", text[:2000], re.IGNORECASE):
                return "text/html"
            return mime
    if _is_mail(text):
        return "message/rfc822"
    if named is None and text.startswith("<") and len(set(_HTML_TAGS.findall(text))) > 1:
        return "text/html"
    return None


def _is_mail(text: str) -> bool:
    """Return whether a text begins with the header of a mail; three of its usual fields prove it."""
    found: set[str] = set()
    at = 0
    if text.startswith("From "):
        at = text.find("\n") + 1
    text = text.replace("\r\n", "\n")
    while (match := _FIELD.match(text, at)) and len(found) < 3:
        found |= {match[1].lower()} & _MAIL_FIELDS
        at = match.end()
    return len(found) >= 3


def _is_json(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        # The rest of a long one is cut off.
        return len(text) > _LOOKED_AT // 4 and bool(re.match(r'[\[{\s]*("(\\.|[^"\\])*"\s*[:,]|-?\d)', text))
    return True
