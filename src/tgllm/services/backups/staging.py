"""Unpacking of a backup beside the data in use, which it leaves as it is."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError, RestoreRefused
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.backup import write_copy
from tgllm.db.file.facts import refuse_unusable
from tgllm.db.file.probe import free_bytes, mib
from tgllm.db.file.swap import sync_folder
from tgllm.services.backups.archive import BLOB, DATABASE, Label
from tgllm.services.backups.plugin_files import drop_unpacked, is_plugin_file, plugin_files, unpacked
from tgllm.services.backups.reading import is_archive, read_archive
from tgllm.services.files.storage.folder import FOLDER, PART

__all__ = ["Staged", "drop_staged", "stage"]

_STAGED = ".restoring"
_IMPOSSIBLE = frozenset(
    {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ELOOP}
)
"""Errors that come from the name of a file."""
_SPARE_BYTES = 5 * 2**20

FreeBytes = Callable[[Path], int]


@dataclass(slots=True)
class Staged:
    """A backup that is unpacked into the data folder under other names."""

    database: Path
    parts: list[Path] = field(default_factory=list[Path])
    """The files, each with its final name and ``PART`` behind it, as a download that is not finished."""

    def finish_files(self) -> None:
        """Give the files their final names; no row of the present database refers to a new one."""
        for part in self.parts:
            part.replace(part.with_name(part.name.removesuffix(PART)))
        if self.parts:
            sync_folder(self.parts[0].parent)


def drop_staged(database: Path) -> None:
    """Remove what a killed restore has left; unfinished files go when the bot starts."""
    for path in database.parent.glob(f"{database.name}{_STAGED}*"):
        path.unlink(missing_ok=True)
    drop_unpacked(database.parent)


def stage(source: Path, database: Path, free: FreeBytes = free_bytes) -> Staged:
    """Unpack a backup into the folder of the database.

    Args:
        source: a backup with files, a copy of a database, or a folder with ``tgllm.db`` and perhaps ``files`` and
            ``plugins``.
        database: path of the database in use.
        free: returns the free bytes of a folder's disk.

    Raises:
        RestoreRefused: the source is no backup, damaged or incomplete.
        DatabaseError: the disk has too little space.
        OSError: a file can't be read or written.
    """
    drop_staged(database)
    staged = Staged(database.with_name(f"{database.name}{_STAGED}"))
    try:
        if not source.is_dir() and not source.is_file():
            raise RestoreRefused(
                f"{source} is neither a file nor a folder. Save the backup as a file first.", path=str(source)
            )
        if source.is_dir():
            _stage_folder(source, staged, free)
        elif is_archive(source):
            _stage_archive(source, staged, free)
        else:
            _check_space(database.parent, source.stat().st_size, free)
            _stage_database(source, staged.database)
    except BaseException:
        drop(staged)
        raise
    return staged


def drop(staged: Staged) -> None:
    """Remove what was unpacked."""
    drop_staged(staged.database.with_name(staged.database.name.removesuffix(_STAGED)))
    for part in staged.parts:
        part.unlink(missing_ok=True)


def _stage_archive(source: Path, staged: Staged, free: FreeBytes) -> None:
    folder = staged.database.parent

    def accept(label: Label) -> None:
        _check_space(folder, label.database_bytes + label.file_bytes, free)

    def write(name: str, _size: int, pieces: Iterator[bytes]) -> None:
        if name == DATABASE:
            _write(staged.database, pieces)
            return
        if is_plugin_file(name):
            try:
                _write(unpacked(folder, name), pieces)
            except OSError as error:
                if error.errno in _IMPOSSIBLE:
                    reason = f"it contains {name[:100]!r}, which this disk can't hold"
                    raise RestoreRefused(
                        f"The backup {source} can't be used: {reason}. Choose another backup, or another disk.",
                        path=str(source),
                        reason=reason,
                    ) from error
                raise
            return
        part = _part(folder, name)
        staged.parts.append(part)
        _write(part, pieces)

    read_archive(source, write, accept)


def _stage_folder(source: Path, staged: Staged, free: FreeBytes) -> None:
    database = source / DATABASE
    if not database.is_file():
        raise RestoreRefused(f"{source} is no backup: it has no {DATABASE}.", path=str(source))
    names = (path for path in (source / FOLDER).glob("*") if BLOB.fullmatch(f"{FOLDER}/{path.name}"))
    # Links could lead anywhere.
    blobs = [path for path in names if stat.S_ISREG(path.lstat().st_mode)]
    plugins = list(plugin_files(source))
    files = [*blobs, *(source / name for name in plugins)]
    needed = database.stat().st_size + sum(path.stat().st_size for path in files)
    _check_space(staged.database.parent, needed, free)
    _stage_database(database, staged.database)
    for path in blobs:
        part = _part(staged.database.parent, f"{FOLDER}/{path.name}")
        staged.parts.append(part)
        _copy(path, part)
    for name in plugins:
        _copy(source / name, unpacked(staged.database.parent, name))


def _stage_database(source: Path, target: Path) -> None:
    """Copy a database with what is in its log."""
    try:
        with in_words(source), closing(connect(source, "ro")) as conn:
            refuse_unusable(conn, source)
            write_copy(conn, target)
    except DatabaseError as error:
        if error.code not in {"database_corrupt", "database_backup"}:
            raise
        raise RestoreRefused(
            f"{source} is damaged or no backup of tgllm. Choose another backup.", path=str(source)
        ) from error


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as stream:
        _write(target, iter(lambda: stream.read(2**20), b""))


def _part(folder: Path, name: str) -> Path:
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    return folder / f"{name}{PART}"


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        for piece in pieces:
            stream.write(piece)
        stream.flush()
        os.fsync(descriptor)


def _check_space(folder: Path, needed: int, free: FreeBytes) -> None:
    available = free(folder)
    if available < needed + _SPARE_BYTES:
        raise DatabaseError(
            f"The disk of {folder} is too full to restore the backup: {mib(needed + _SPARE_BYTES)} MiB are "
            f"needed and {mib(available)} MiB are free. Nothing was changed. Free some space, then try again.",
            code="database_full",
            path=str(folder),
        )
