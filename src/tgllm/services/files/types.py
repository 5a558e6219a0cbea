"""What a file really is, by its content; the sender's name and type are hints."""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tgllm.plugins.builtin.files.shared.encoding import HEAD, is_text
from tgllm.plugins.builtin.files.shared.text_types import text_type
from tgllm.services.files.archive_types import gzip_type, ole_type, zip_type
from tgllm.services.files.media_types import media_type

__all__ = ["EMPTY", "UNKNOWN", "FileType", "contradicts", "true_type"]

EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"

_PDF_SEARCHED = 1024
"""Bytes in which readers look for the header of a PDF. PDF 1.7, appendix H.3."""
_TEXTUAL = frozenset({"image/svg+xml", "application/json", "application/x-ndjson", "application/x-subrip"})
_USUAL_NAMES = {
    "application/rtf": "text/rtf",
    "application/x-rar-compressed": "application/vnd.rar",
    "application/x-sqlite3": "application/vnd.sqlite3",
    "application/x-msdownload": "application/vnd.microsoft.portable-executable",
    "application/font-woff": "font/woff",
    "application/font-sfnt": "font/ttf",
    "audio/x-aiff": "audio/aiff",
    "image/x-icon": "image/vnd.microsoft.icon",
}
_ALWAYS_KNOWN = re.compile(
    r".*\.(pdf|doc[xm]?|xls[xmb]?|ppt[xm]?|od[tsp]|epub|zip|jar|rar|7z|gz|jpe?g|png|gif|webp|heic|avif|bmp|tiff?"
    r"|mp[34]|og[ga]|opus|m4a|wav|flac|mov|webm|mkv|avi|rtf|tgs)",
    re.IGNORECASE | re.DOTALL,
)
"""Names with endings whose content is always recognised."""


@dataclass(frozen=True, slots=True)
class FileType:
    """Type of a file."""

    mime: str
    """Without parameters, as IANA names it where it does."""
    is_text: bool
    """Whether the content can be shown as text."""


def true_type(path: Path, claimed: str | None = None, name: str | None = None) -> FileType:
    """Return the type of a file by its content.

    The name's ending and the claimed type decide only between kinds of text, which look alike. This blocks and reads at
    most about 1 MiB, so call it in a thread.

    Raises:
        OSError: the file can't be opened.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        if not head:
            return FileType(EMPTY, is_text=False)
        try:
            mime = _binary_type(stream, head)
        except (OSError, ValueError, IndexError):
            mime = None
    if mime is not None:
        return FileType(mime, is_text=mime == "text/rtf")
    if not is_text(head):
        return FileType(UNKNOWN, is_text=False)
    kind = text_type(head, claimed or "", name or "")
    return FileType(kind, is_text=kind.startswith(("text/", "message/")) or kind in _TEXTUAL)


def contradicts(kind: FileType, name: str | None) -> bool:
    """Return whether a name's ending names a kind that is always recognised, though the content is unknown."""
    return kind.mime == UNKNOWN and _ALWAYS_KNOWN.fullmatch(name or "") is not None


def _binary_type(stream: BinaryIO, head: bytes) -> str | None:
    """Return the type of content that is recognised by its first bytes, or None for texts and unknown content."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return zip_type(stream, head)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return ole_type(stream, head)
    if b"%PDF-" in head[:_PDF_SEARCHED]:
        return "application/pdf"
    if head.startswith(b"{\\rtf"):
        return "text/rtf"
    if is_text(head):
        # The signatures of some kinds are letters: a text may begin with BM, MZ, GIF or ID3.
        return "application/postscript" if head.startswith(b"%!PS") else None
    if head.startswith(b"\x1f\x8b"):
        return gzip_type(head)
    return media_type(stream, head) or _by_signature(head)


def _by_signature(head: bytes) -> str | None:
    # A list of 80 classes, which a start without files doesn't need; it has no types.
    guess = importlib.import_module("filetype").guess_mime
    found: str | None = guess(head)
    return _USUAL_NAMES.get(found, found) if found and found != UNKNOWN else None
