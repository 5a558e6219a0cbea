"""Kind and size of a picture, from the beginning of its file."""

from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["Picture", "picture_of"]

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_SEGMENTS = 500
"""Most segments of a JPEG or chunks of a PNG before its size is known."""
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""JPEG markers among those of frames that begin tables instead."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's file says about itself."""

    mime: str
    width: int
    height: int
    transparent: bool = False
    """Whether it has, or may have, transparent parts."""
    animated: bool = False


def picture_of(file: BinaryIO) -> Picture | None:
    """Return the kind and size of a JPEG, PNG or WebP picture; None for anything else, also if it is damaged.

    It reads little of the file, but blocks: call it in a thread if the file is on disk.
    """
    begin = file.read(32)
    if begin.startswith(_PNG):
        return _png(file, begin)
    if begin.startswith(b"\xff\xd8\xff"):
        return _jpeg(file)
    if begin[:4] == b"RIFF" and begin[8:12] == b"WEBP" and len(begin) >= 30:
        return _webp(begin)
    return None


def _png(file: BinaryIO, begin: bytes) -> Picture | None:
    if begin[12:16] != b"IHDR" or len(begin) < 26:
        return None
    width, height, colours = int.from_bytes(begin[16:20]), int.from_bytes(begin[20:24]), begin[25]
    transparent, animated = colours in {4, 6}, False
    file.seek(33)
    for _ in range(_MOST_SEGMENTS):
        head = file.read(8)
        if len(head) < 8 or head[4:] in {b"IDAT", b"IEND"}:
            break
        transparent |= head[4:] == b"tRNS"
        animated |= head[4:] == b"acTL"
        file.seek(int.from_bytes(head[:4]) + 4, 1)
    return _sized("image/png", width, height, transparent=transparent, animated=animated)


def _jpeg(file: BinaryIO) -> Picture | None:
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        if 0xC0 <= head[1] <= 0xCF and head[1] not in _NO_FRAME:
            frame = file.read(5)
            return _sized("image/jpeg", int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3]))
        if head[1] == 0xFF:
            # A fill byte before the marker.
            file.seek(-3, 1)
            continue
        file.seek(int.from_bytes(head[2:4]) - 2, 1)
    return None


def _webp(begin: bytes) -> Picture | None:
    match begin[12:16]:
        case b"VP8 ":
            width, height = (int.from_bytes(begin[at : at + 2], "little") & 0x3FFF for at in (26, 28))
            return _sized("image/webp", width, height)
        case b"VP8L":
            bits = int.from_bytes(begin[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            return _sized("image/webp", width, height, transparent=bool(bits >> 28 & 1))
        case b"VP8X":
            width, height = (int.from_bytes(begin[at : at + 3], "little") + 1 for at in (24, 27))
            flags = begin[20]
            return _sized("image/webp", width, height, transparent=bool(flags & 0x10), animated=bool(flags & 0x02))
        case _:
            return None


def _sized(mime: str, width: int, height: int, *, transparent: bool = False, animated: bool = False) -> Picture | None:
    return Picture(mime, width, height, transparent, animated) if width and height else None
