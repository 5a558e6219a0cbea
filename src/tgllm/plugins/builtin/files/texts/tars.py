"""Reader of tar archives and of files compressed with gzip, bzip2 or xz."""

import bz2
import gzip
import lzma
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.texts.inner import LARGEST, inner_type, write_inner
from tgllm.plugins.builtin.files.texts.listing import Entry, write_archive

__all__ = ["extract"]

_DAMAGED = (tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, OverflowError)
_MOST_BYTES = 256 * 1024 * 1024
"""Bytes that are decompressed."""
_MOST_ENTRIES = 10_000
_CHUNK = 8_192
_MOST_KEPT = 32 * 1024 * 1024
_MOST_TEXT = 16 * 1024 * 1024
"""Bytes of a single compressed text that are read."""


class _TooLarge(Exception):
    """More was decompressed than allowed."""


class _Bounded:
    """Stream that ends with an error when too much was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = _MOST_BYTES

    def read(self, size: int = -1) -> bytes:
        if self._left <= 0:
            raise _TooLarge
        content = self._stream.read(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(content)
        return content


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return the list of files of a tar archive and its small texts, or the text that is compressed.

    Raises:
        FileUnreadable: it is damaged, or contains neither.
    """
    builder = TextBuilder(limits)
    try:
        with _opened(path) as stream:
            head, is_cut = _beginning(stream)
            if head[257:262] != b"ustar":
                _write_single(head, builder, is_cut=is_cut)
                return Extracted(builder.text, truncated=builder.truncated)
        with _opened(path) as stream:
            _write_tar(stream, builder)
    except _DAMAGED as error:
        raise FileUnreadable("The archive is damaged", code="file_broken") from error
    return Extracted(builder.text, truncated=builder.truncated)


def _opened(path: Path) -> BinaryIO:
    """Open a file, decompressing it if it is compressed."""
    with path.open("rb") as stream:
        start = stream.read(6)
    if not start:
        raise FileUnreadable("The archive is empty", code="file_empty")
    if start.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.open(path))
    if start.startswith(b"BZh"):
        return cast("BinaryIO", bz2.open(path))
    if start.startswith(b"\xfd7zXZ"):
        return cast("BinaryIO", lzma.open(path))
    return path.open("rb")


def _beginning(stream: BinaryIO) -> tuple[bytes, bool]:
    """Return the beginning of what is compressed, and whether more follows, or would if the file were not cut off."""
    content = bytearray()
    while len(content) < _MOST_TEXT:
        try:
            chunk = stream.read1(_CHUNK) if isinstance(stream, gzip.GzipFile) else stream.read(_CHUNK)
        except _DAMAGED:
            if not content:
                raise
            return bytes(content), True
        if not chunk:
            return bytes(content), False
        content += chunk
    return bytes(content), True


def _write_single(content: bytes, builder: TextBuilder, *, is_cut: bool) -> None:
    if not content.strip():
        raise FileUnreadable("Nothing is compressed in the file", code="file_empty")
    if inner_type(content, "") is None:
        raise FileUnreadable("The compressed file is no text")
    # Only one file is inside, so no mark of a part is needed.
    unmarked = TextBuilder(ExtractionLimits(builder.left, 60, 0))
    write_inner(content, "", unmarked)
    builder.add(unmarked.text.partition("\n")[2])
    builder.truncated = builder.truncated or unmarked.truncated or is_cut


def _write_tar(stream: BinaryIO, builder: TextBuilder) -> None:
    entries: list[Entry] = []
    contents: dict[int, bytes] = {}
    kept, is_cut = 0, False
    try:
        with tarfile.open(fileobj=cast("BinaryIO", _Bounded(stream)), mode="r|") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                if len(entries) >= _MOST_ENTRIES:
                    is_cut = True
                    break
                if member.size <= LARGEST and kept + member.size <= _MOST_KEPT:
                    inside = archive.extractfile(member)
                    contents[len(entries)] = inside.read() if inside is not None else b""
                    kept += member.size
                entries.append(Entry(member.name, member.size))
    except _TooLarge:
        is_cut = True
    except _DAMAGED:
        # What precedes the damage is shown.
        if not entries:
            raise
        is_cut = True
    write_archive(entries, contents.get, builder)
    builder.truncated = builder.truncated or is_cut
