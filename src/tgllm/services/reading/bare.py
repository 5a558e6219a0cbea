"""Pictures without metadata, recognised by their structure.

A format's parts that only draw the picture are listed here; a file with any other part counts as one with metadata:
EXIF with the place, XMP, IPTC, colour profiles, comments, thumbnails, and whatever follows the picture's end.
"""

import struct
from dataclasses import dataclass
from itertools import chain

__all__ = ["Bare", "bare"]

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
)
_WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
_JPEG_FRAMES = frozenset(chain(range(0xC0, 0xC4), range(0xC5, 0xC8), range(0xC9, 0xCC), range(0xCD, 0xD0)))
_JPEG_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD, 0xDA})
_JFIF, _ADOBE = 0xE0, 0xEE
_END_OF_IMAGE, _STUFFED, _RESTARTS = 0xD9, 0x00, range(0xD0, 0xD8)


@dataclass(frozen=True, slots=True)
class Bare:
    """A picture without metadata."""

    mime_type: str
    width: int
    height: int


def bare(content: bytes) -> Bare | None:
    """Return what a JPEG, PNG, WebP or GIF is; None if it has metadata or several pictures, or is anything else."""
    try:
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        if content.startswith(_PNG):
            return _png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
        if content[:6] in {b"GIF87a", b"GIF89a"}:
            return _gif(content)
    except (IndexError, struct.error):
        # It ends too early.
        pass
    return None


def _jpeg(content: bytes) -> Bare | None:
    size, at = (0, 0), 2
    while True:
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == _END_OF_IMAGE:
            return Bare("image/jpeg", *size) if all(size) and at + 2 == len(content) else None
        (length,) = struct.unpack_from(">H", content, at + 2)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = (width, height)
        elif not _draws(marker, content[at + 4 : at + 2 + length]):
            return None
        at += 2 + length
        if marker == 0xDA:
            at = _scan_end(content, at)


def _draws(marker: int, segment: bytes) -> bool:
    """Return whether a segment of a JPEG only draws."""
    if marker == _JFIF:
        # JFIF without a thumbnail, whose size is in the last two of its 14 bytes.
        return len(segment) == 14 and segment[:5] == b"JFIF\0" and segment[12:] == b"\0\0"
    if marker == _ADOBE:
        return len(segment) == 12 and segment[:5] == b"Adobe"
    return marker in _JPEG_TABLES


def _scan_end(content: bytes, at: int) -> int:
    """Return the position of the first marker after the data of a scan."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise IndexError
        if content[at + 1] != _STUFFED and content[at + 1] not in _RESTARTS:
            return at
        at += 2


def _png(content: bytes) -> Bare | None:
    size, at = (0, 0), len(_PNG)
    while True:
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind not in _PNG_CHUNKS:
            return None
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", content, at + 8)
            size = (width, height)
        at += 12 + length
        if kind == b"IEND":
            return Bare("image/png", *size) if all(size) and at == len(content) else None


def _webp(content: bytes) -> Bare | None:
    size, at = (0, 0), 12
    (riff,) = struct.unpack_from("<I", content, 4)
    if riff + 8 != len(content):
        return None
    while at < len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        if kind not in _WEBP_CHUNKS or at + 8 + length > len(content):
            return None
        size = max(size, _webp_size(kind, content, at + 8))
        at += 8 + length + length % 2
    return Bare("image/webp", *size) if all(size) else None


def _webp_size(kind: bytes, content: bytes, at: int) -> tuple[int, int]:
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, at + 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, at + 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _gif(content: bytes) -> Bare | None:
    """Return a GIF with one picture, and with no extension but the one that controls how it is drawn."""
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    at, pictures = 13 + _colours(flags), 0
    while True:
        kind = content[at]
        if kind == 0x3B:
            found = Bare("image/gif", width, height)
            return found if pictures == 1 and width and height and at + 1 == len(content) else None
        if kind == 0x2C:
            pictures += 1
            at = _blocks_end(content, at + 11 + _colours(content[at + 9]))
        elif kind == 0x21 and content[at + 1] == 0xF9:
            at = _blocks_end(content, at + 2)
        else:
            return None


def _colours(flags: int) -> int:
    """Return the bytes of a table of colours."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks_end(content: bytes, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1
