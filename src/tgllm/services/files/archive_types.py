"""Types of containers: zip, OLE and gzip, by a bounded look at what they contain."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["gzip_type", "ole_type", "zip_type"]

_OFFICE = "application/vnd.openxmlformats-officedocument."
_DIRECTORY_READ = 1024 * 1024
_MOST_NAMES = 2_000
_TAIL = 65_557
"""Bytes at the end of a zip in which its directory is announced: a record of 22 and a comment."""
_DECLARED = "mimetype"
"""Name of the first member of EPUB and OpenDocument files, whose content is their type."""
_PARTS = (
    ("word/", _OFFICE + "wordprocessingml.document"),
    ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.12"),
    ("xl/", _OFFICE + "spreadsheetml.sheet"),
    ("ppt/", _OFFICE + "presentationml.presentation"),
    ("visio/", "application/vnd.ms-visio.drawing"),
    ("META-INF/container.xml", "application/epub+zip"),
    ("AndroidManifest.xml", "application/vnd.android.package-archive"),
    ("META-INF/MANIFEST.MF", "application/java-archive"),
)
"""Beginnings of names, and the types that they prove; the first that fits any name counts."""
_STREAMS = (
    ("EncryptedPackage", "application/encrypted"),
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("VisioDocument", "application/vnd.ms-visio.drawing"),
)
_SECTOR_LIMIT = 64
_END_OF_CHAIN = 0xFFFFFFF0


def zip_type(stream: BinaryIO, head: bytes) -> str:
    """Return the type of a zip file by the names of its members."""
    declared = _declared_type(head)
    if declared:
        return declared
    names = list(_directory_names(stream)) or list(_local_names(head))
    is_office = any(name.startswith(("[Content_Types].xml", "_rels/")) for name in names)
    for part, mime in _PARTS:
        if (is_office or not mime.startswith((_OFFICE, "application/vnd.ms-"))) and any(
            name.startswith(part) for name in names
        ):
            return mime
    return "application/zip"


def ole_type(stream: BinaryIO, head: bytes) -> str:
    """Return the type of an OLE compound file by the names of its streams. Microsoft: [MS-CFB]."""
    names = set(_ole_names(stream, head))
    return next((mime for name, mime in _STREAMS if name in names), "application/x-ole-storage")


def gzip_type(head: bytes) -> str:
    """Return the type of a gzip file: an animated sticker of Telegram is compressed JSON."""
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = decompressor.decompress(head, 4096)
    except zlib.error:
        return "application/gzip"
    is_sticker = content.lstrip().startswith(b"{") and b'"tgs"' in content
    return "application/x-tgsticker" if is_sticker else "application/gzip"


def _declared_type(head: bytes) -> str | None:
    """Return the type that the first member declares. OpenDocument 1.3 part 2, 3.3; EPUB 3.3, 4.2.6.1."""
    if len(head) < 38 or head[30:38] != _DECLARED.encode():
        return None
    size, extra = struct.unpack_from("<I4xH", head, 18)[0], struct.unpack_from("<H", head, 28)[0]
    content = head[38 + extra :][: min(size, 100)].decode("ascii", "replace").strip()
    known = content.startswith("application/vnd.oasis.opendocument.") or content == "application/epub+zip"
    return content.removesuffix("-template") if known and content.isascii() else None


def _directory_names(stream: BinaryIO) -> Iterator[str]:
    """Yield the names of the first members by the directory at the end of a zip; none if it is damaged."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return
    length, start = struct.unpack_from("<II", tail, at + 12)
    if start >= size:
        return
    stream.seek(start)
    directory = stream.read(min(length, _DIRECTORY_READ))
    position = 0
    for _ in range(_MOST_NAMES):
        if directory[position : position + 4] != b"PK\x01\x02" or len(directory) < position + 46:
            return
        name, extra, comment = struct.unpack_from("<HHH", directory, position + 28)
        yield directory[position + 46 : position + 46 + name].decode("utf-8", "replace")
        position += 46 + name + extra + comment


def _local_names(head: bytes) -> Iterator[str]:
    """Yield the names of the first members by what stands before each, for a zip that is cut."""
    at = 0
    for _ in range(_MOST_NAMES):
        at = head.find(b"PK\x03\x04", at)
        if at < 0 or len(head) < at + 30:
            return
        (length,) = struct.unpack_from("<H", head, at + 26)
        yield head[at + 30 : at + 30 + length].decode("utf-8", "replace")
        at += 30


def _ole_names(stream: BinaryIO, head: bytes) -> Iterator[str]:
    if len(head) < 512:
        return
    (shift,) = struct.unpack_from("<H", head, 30)
    if shift not in (9, 12):
        return
    size = 1 << shift
    (sector,) = struct.unpack_from("<I", head, 48)
    tables = struct.unpack_from("<109I", head, 76)
    for _ in range(_SECTOR_LIMIT):
        if sector >= _END_OF_CHAIN:
            return
        stream.seek((sector + 1) << shift)
        block = stream.read(size)
        for at in range(0, len(block) - 127, 128):
            (length,) = struct.unpack_from("<H", block, at + 64)
            yield block[at : at + min(max(length - 2, 0), 62)].decode("utf-16-le", "replace")
        table, entry = divmod(sector, size // 4)
        if table >= len(tables) or tables[table] >= _END_OF_CHAIN:
            return
        stream.seek(((tables[table] + 1) << shift) + entry * 4)
        link = stream.read(4)
        if len(link) < 4:
            return
        (sector,) = struct.unpack("<I", link)
