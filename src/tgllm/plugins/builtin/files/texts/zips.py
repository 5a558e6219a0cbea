"""Reader of zip archives: what they contain, and the small texts in them."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.encoding import decode
from tgllm.plugins.builtin.files.texts.inner import LARGEST
from tgllm.plugins.builtin.files.texts.listing import Entry, write_archive

__all__ = ["extract"]

_ENCRYPTED = 0x1
_UTF8 = 0x800
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, LookupError
)  # fmt: skip
_MOST_ENTRIES_BYTES = 64 * 1024 * 1024
"""Largest directory that is read: each entry takes half a kilobyte of memory."""


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return the list of files, and the text of the small ones; archives inside are listed only.

    Raises:
        FileUnreadable: the archive is damaged, has a huge directory, or all that it contains needs a password.
    """
    _check_directory(path)
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise FileUnreadable("The archive is damaged", code="file_broken") from error
    builder = TextBuilder(limits)
    with archive:
        # is_dir() fails for an empty name.
        infos = [info for info in archive.infolist() if info.filename and not info.filename.endswith("/")]
        if infos and all(info.flag_bits & _ENCRYPTED for info in infos):
            raise FileUnreadable("The archive needs a password", code="file_password")
        names = _names(infos)
        entries = [
            Entry(names[number], info.file_size, is_encrypted=bool(info.flag_bits & _ENCRYPTED))
            for number, info in enumerate(infos)
        ]
        write_archive(entries, lambda number: _content(archive, infos[number]), builder)
    return Extracted(builder.text, truncated=builder.truncated)


def _check_directory(path: Path) -> None:
    """Refuse a directory that needs much memory. PKWARE: APPNOTE, 4.3.16."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        if size == 0:
            raise FileUnreadable("The archive is empty", code="file_empty")
        stream.seek(max(0, size - 65_557))
        tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    length = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    # 0xFFFFFFFF means that the length is elsewhere; no directory is longer than its file.
    if min(length, size) > _MOST_ENTRIES_BYTES:
        raise FileUnreadable("The archive contains too many files", code="file_too_large_to_read")


def _names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the names; those without the flag of UTF-8 are in the encoding of the system that made them."""
    raw = [info.filename.encode("cp437", "replace") if not info.flag_bits & _UTF8 else b"" for info in infos]
    sample = b"\n".join(name for name in raw[:2000] if not name.isascii())
    if not sample:
        return [info.filename for info in infos]
    decoded = decode(b"\n".join(name.replace(b"\n", b" ").replace(b"\r", b" ") for name in raw)).split("\n")
    if len(decoded) != len(infos):
        return [info.filename for info in infos]
    return [info.filename if not raw[number] else decoded[number] for number, info in enumerate(infos)]


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """Return the content of a small file, or None if it is damaged or larger than it claims."""
    try:
        with archive.open(info) as stream:
            content = stream.read(LARGEST + 1)
    except _DAMAGED:
        return None
    return content if len(content) <= LARGEST else None
