"""Small pictures, made without a library for pictures."""

import struct
import zlib

__all__ = ["jpeg", "png"]


def png(width: int = 4, height: int = 3, *, colours: int = 2, grey: int = 90, extra: bytes = b"") -> bytes:
    """A PNG of one colour; ``colours`` is its colour type, and ``extra`` chunks before the pixels."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colours]
    line = b"\0" + bytes([grey]) * (width * channels)
    head = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    pixels = zlib.compress(line * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int = 4, height: int = 3, *, before: bytes = b"") -> bytes:
    """The beginning of a JPEG, up to its frame; ``before`` are segments before it."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0" + before + b"\xff\xc0\x00\x11" + frame + b"\xff\xd9"
