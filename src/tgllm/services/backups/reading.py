"""Reading of a backup with files: every member is checked, and nothing is written but what the reader decides.

A backup may come from anywhere: only the members of the format are accepted, under their exact names.
"""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tgllm.db.engine.errors import RestoreRefused
from tgllm.services.backups.archive import BLOB, CONTENTS, DATABASE, LABEL, MOST_JSON, Contents, Hashed, Label
from tgllm.services.backups.plugin_files import is_plugin_file

__all__ = ["Sink", "is_archive", "read_archive", "read_label"]

_PIECE = 2**20
_GROWTH = 2**28
"""Bytes by which files of plugins may have grown since the label was written."""
_DAMAGED = (
    tarfile.TarError,
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    # tarfile raises these for some headers with impossible numbers or names.
    ArithmeticError,
    LookupError,
    ValueError,
    RecursionError,
)

Sink = Callable[[str, int, Iterator[bytes]], None]
"""Receives the database and each file: name, size, and the bytes, which it need not use up."""


def is_archive(path: Path) -> bool:
    """Return whether a file looks like a backup with files; raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(265)
    return head[257:262] == b"ustar" or head[:2] == b"\x1f\x8b"


def read_label(path: Path) -> Label:
    """Read what a backup says about itself, without checking the rest.

    Raises:
        RestoreRefused: it is no backup of tgllm.
    """
    with _opened(path) as archive:
        return _label(path, archive)[0]


def read_archive(path: Path, sink: Sink | None = None, accept: Callable[[Label], None] | None = None) -> Label:
    """Read a whole backup and check that it is complete and undamaged.

    Args:
        path: the backup.
        sink: receives the members; without it they are only checked.
        accept: called with the label before anything else is read; it may raise.

    Raises:
        RestoreRefused: the backup is damaged, incomplete, or no backup of tgllm.
        OSError: it can't be read, or the sink can't write.
    """
    with _opened(path) as archive:
        label, raw = _label(path, archive)
        if accept is not None:
            accept(label)
        most = 2 * (label.database_bytes + label.file_bytes) + _GROWTH
        sums = {LABEL: hashlib.sha256(raw).hexdigest()}
        contents: Contents | None = None
        while (member := archive.next()) is not None:
            if contents is not None:
                raise _refused(path, "there is something behind its end")
            if member.name == CONTENTS and DATABASE in sums:
                contents = _contents(path, _bytes_of(path, archive, member))
                continue
            is_next = member.name == DATABASE if DATABASE not in sums else _is_file(member.name)
            if not _is_plain(member) or not is_next or member.name in sums:
                raise _refused(path, f"it contains {member.name[:100]!r}, which no backup has at this place")
            most -= member.size
            if most < 0:
                raise _refused(path, "it contains much more than it says")
            sums[member.name] = _read_member(archive, member, sink)
        if contents is None:
            raise _refused(path, "its end is missing, so it is not complete")
    _compare(path, sums, contents)
    return label


def _compare(path: Path, sums: Mapping[str, str], contents: Contents) -> None:
    for name in sums.keys() | contents.sha256.keys():
        if name not in sums:
            raise _refused(path, f"{name[:100]} is missing in it")
        if sums[name] != contents.sha256.get(name):
            raise _refused(path, f"{name} in it is not what was written")


def _is_plain(member: tarfile.TarInfo) -> bool:
    """Return whether a member is a file with all of its bytes; a sparse one of a few bytes may unpack to any size."""
    return member.type in {tarfile.REGTYPE, tarfile.AREGTYPE} and not member.issparse() and member.size >= 0


def _is_file(name: str) -> bool:
    return BLOB.fullmatch(name) is not None or is_plugin_file(name)


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, sink: Sink | None) -> str:
    source = archive.extractfile(member)
    assert source is not None  # noqa: S101  it is a regular file
    hashed = Hashed(source)
    pieces = iter(lambda: hashed.read(_PIECE), b"")
    if sink is not None:
        sink(member.name, member.size, pieces)
    for _ in pieces:
        pass
    return hashed.sha256.hexdigest()


@contextmanager
def _opened(path: Path) -> Generator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r|*") as archive:
            yield archive
    except _DAMAGED as error:
        raise _refused(path, f"it is cut off or damaged ({error})") from error


def _label(path: Path, archive: tarfile.TarFile) -> tuple[Label, bytes]:
    member = archive.next()
    if member is None or member.name != LABEL or not _is_plain(member):
        raise RestoreRefused(f"{path} is no backup of tgllm. Backups are made with: tgllm db backup", path=str(path))
    raw = _bytes_of(path, archive, member)
    try:
        return Label.load(raw), raw
    except ValueError as error:
        raise _refused(path, str(error)) from error


def _contents(path: Path, data: bytes) -> Contents:
    try:
        return Contents.load(data)
    except ValueError as error:
        raise _refused(path, str(error)) from error


def _bytes_of(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = archive.extractfile(member) if _is_plain(member) and member.size <= MOST_JSON else None
    if source is None:
        raise _refused(path, f"{member.name[:100]} in it is no list of contents")
    return source.read()


def _refused(path: Path, reason: str) -> RestoreRefused:
    return RestoreRefused(
        f"The backup {path} can't be used: {reason}. Choose another backup.", path=str(path), reason=reason
    )
