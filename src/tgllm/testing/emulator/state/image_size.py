"""Width and height of images, read from their first bytes."""

import struct

__all__ = ["image_size"]

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_SEGMENTS = 200
# JPEG: start of frame, without DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF, JPEG or WebP image; None for anything else."""
    try:
        size = _size(content)
    except (struct.error, IndexError):
        return None
    return size if size and all(size) else None


def _size(content: bytes) -> tuple[int, int] | None:
    if content.startswith(_PNG):
        return struct.unpack_from(">II", content, 16)
    if content[:6] in {b"GIF87a", b"GIF89a"}:
        return struct.unpack_from("<HH", content, 6)
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    place = 2
    for _ in range(_MOST_SEGMENTS):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        (length,) = struct.unpack_from(">H", content, place + 2)
        place += 2 + length
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        return _uint24(content, 24) + 1, _uint24(content, 27) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _uint24(content: bytes, place: int) -> int:
    return content[place] | content[place + 1] << 8 | content[place + 2] << 16
