"""Archives of Office files and books, which are checked before anything of them is read."""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import ExtractionLimits

__all__ = ["check_ole", "check_real_sizes", "open_archive", "read_member"]

_MOST_ENTRIES: Final = 20_000
_ALL_SHARE: Final = 4
"""Part of the memory that the whole content may take."""
_XML_SHARE: Final = 12
"""Part of the memory that XML may take, which grows when it is parsed."""
_XML: Final = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_HEADER: Final = 512
_MINI_SHIFT: Final = 6
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_CHUNK: Final = 1 << 20
_ENCRYPTED_FLAG: Final = 1
_LOCAL_HEADER: Final = 30


def open_archive(path: Path, limits: ExtractionLimits, *, parsed: bool = True) -> zipfile.ZipFile:
    """Open an archive; ``parsed`` means that its XML is parsed as a whole.

    Raises:
        FileUnreadable: it is empty, damaged, of another kind, protected by a password, or its content is too large.
    """
    if path.stat().st_size == 0:
        raise FileUnreadable("The file is empty", code="file_empty")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _other_kind(path) from error
    try:
        if any(info.compress_size > path.stat().st_size for info in archive.infolist()):
            # It would be read at once, into as much memory as it claims.
            raise FileUnreadable("A part of the file claims to be larger than the file", code="file_broken")
        _check(archive.infolist(), limits, parsed=parsed)
    except FileUnreadable:
        archive.close()
        raise
    return archive


def check_ole(path: Path) -> None:
    """Check that an old Office file claims no more sectors than it has. Microsoft: [MS-CFB] 2.2.

    Raises:
        FileUnreadable: it is damaged.
    """
    with path.open("rb") as file:
        header = file.read(_OLE_HEADER)
    shift, mini = int.from_bytes(header[30:32], "little"), int.from_bytes(header[32:34], "little")
    tables = [int.from_bytes(header[at : at + 4], "little") for at in (44, 64, 72)]
    sectors = path.stat().st_size >> 9
    if len(header) < _OLE_HEADER or shift not in {9, 12} or mini != _MINI_SHIFT or max(tables) > sectors:
        raise FileUnreadable("The file is damaged", code="file_broken")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return the content of a member; None if there is none of that name.

    Raises:
        FileUnreadable: it is damaged.
    """
    try:
        return archive.read(name)
    except KeyError:
        return None
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise FileUnreadable("A part of the file is damaged", code="file_broken") from error


def check_real_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Check that no member is larger than it claims, for libraries that don't check it.

    Raises:
        FileUnreadable: a member is larger, or damaged.
    """
    with path.open("rb") as file:
        for info in archive.infolist():
            if info.compress_type == zipfile.ZIP_DEFLATED and not _keeps_its_size(file, info):
                raise FileUnreadable("A part of the file is larger than it claims", code="file_too_large_to_read")


def _keeps_its_size(file: BinaryIO, info: zipfile.ZipInfo) -> bool:
    """Return whether a member is no larger than it claims.

    Raises:
        FileUnreadable: it is damaged.
    """
    try:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER)
        name, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
        file.seek(info.header_offset + _LOCAL_HEADER + name + extra)
        return _inflates_to(info.file_size, info.compress_size, file.read)
    except (zlib.error, OSError, ValueError) as error:
        raise FileUnreadable("A part of the file is damaged", code="file_broken") from error


def _inflates_to(most: int, compressed: int, read: Callable[[int], bytes]) -> bool:
    """Return whether compressed data is no larger than a size."""
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    pending = b""
    while not inflater.eof:
        if not pending:
            pending = read(min(_CHUNK, compressed))
            compressed -= len(pending)
            if not pending:
                return True
        size += len(inflater.decompress(pending, _CHUNK))
        pending = inflater.unconsumed_tail
        if size > most:
            return False
    return True


def _check(infos: list[zipfile.ZipInfo], limits: ExtractionLimits, *, parsed: bool) -> None:
    if any(info.flag_bits & _ENCRYPTED_FLAG for info in infos):
        raise FileUnreadable("The file needs a password", code="file_password")
    xml = sum(info.file_size for info in infos if info.filename.lower().endswith(_XML)) if parsed else 0
    content = sum(info.file_size for info in infos)
    if (
        len(infos) > _MOST_ENTRIES
        or content > limits.memory_bytes // _ALL_SHARE
        or xml > limits.memory_bytes // _XML_SHARE
    ):
        raise FileUnreadable("The content of the file is too large", code="file_too_large_to_read")


def _other_kind(path: Path) -> FileUnreadable:
    """Return the error for a file that is no archive: an old or encrypted Office file, or a damaged one."""
    with path.open("rb") as file:
        if file.read(len(_OLE)) != _OLE:
            return FileUnreadable("The file is damaged", code="file_broken")
        tail = b""
        while chunk := file.read(_CHUNK):
            if _ENCRYPTED in tail + chunk:
                return FileUnreadable("The file needs a password", code="file_password")
            tail = chunk[-len(_ENCRYPTED) :]
    return FileUnreadable("The file has an old format; save it as docx or pptx")
