"""Making of one backup, checked after it is written, and never in place of another file."""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tgllm import __version__
from tgllm.db.engine.errors import BackupFailed, DatabaseError
from tgllm.db.engine.sqlite import in_words
from tgllm.db.file.backup import UNFINISHED, backup, discard_copy
from tgllm.db.file.facts import Facts, facts_of
from tgllm.db.file.probe import free_bytes, mib
from tgllm.db.file.swap import sync_folder
from tgllm.services.backups.archive import Label, is_archive_name
from tgllm.services.backups.plugin_files import plugin_files
from tgllm.services.backups.reading import read_archive
from tgllm.services.backups.writing import write_archive

__all__ = ["Made", "Order", "make_backup", "remove_unfinished"]

_COPY = ".database"
"""Ending of the copy of the database beside it, which goes into the backup."""
SPARE_BYTES = 20 * 2**20
"""Free space that a backup leaves on the disk of the data folder: the bot itself must be able to write."""


@dataclass(frozen=True, slots=True)
class Order:
    """A backup to make."""

    database: Path
    data_dir: Path
    target: Path
    now: int
    """UTC in milliseconds."""
    with_files: bool = True
    """Whether files are included, also those of plugins; a target such as ``copy.db`` holds the database alone."""
    are_elsewhere: bool = False
    """Whether the files of conversations are not in the data folder but in a storage that has its own backups."""
    free: Callable[[Path], int] = free_bytes
    """Returns the free bytes of a folder's disk."""

    @property
    def is_archive(self) -> bool:
        """Whether the target holds more than the database."""
        return is_archive_name(self.target.name)


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup."""

    path: Path
    size: int
    """In bytes."""
    files: int
    """Files in it."""
    left_out: int
    """Files of the bot that are not in it."""
    missing: int = 0
    """Of these, files that were to be included and are not on disk."""


def make_backup(order: Order) -> Made:
    """Make a backup while the bot may be running, and check it.

    The target appears under its name when it is complete, with mode 0600. Blocks.

    Raises:
        BackupFailed: the target exists or is being written, the database is empty, or what was written is damaged.
        DatabaseError: the database can't be read, or the target can't be written: its disk may be full.
    """
    target = order.target
    facts = facts_of(order.database)
    with in_words(target):
        _refuse_existing(target)
        _check_space(order, facts)
        with _unfinished(target) as stream:
            copy = target.with_name(f"{target.name}{_COPY}")
            backup(order.database, copy)
            if order.is_archive:
                made = _archive(order, copy, stream)
                finished = target.with_name(f"{target.name}{UNFINISHED}")
                # Before the file with the lock gets its final name: what is left is found by that one.
                discard_copy(copy)
            else:
                made = Made(target, copy.stat().st_size, 0, len(facts_of(copy).blobs))
                finished = copy
            _sync(finished)
            _refuse_existing(target)
            finished.replace(target)
            sync_folder(target.parent)
    return made


def _archive(order: Order, copy: Path, stream: BinaryIO) -> Made:
    facts = facts_of(copy)
    blobs = facts.blobs if order.with_files and not order.are_elsewhere else ()
    plugins = _plugin_files(order)
    label = Label(
        made_at=order.now,
        program=__version__,
        schema=facts.version,
        bot_id=facts.bot_id,
        username=facts.username,
        database_bytes=copy.stat().st_size,
        files=len(blobs),
        file_bytes=sum(blob.size for blob in blobs) + _bytes_of(order, plugins),
        with_files=order.with_files,
    )
    compress = order.target.name.endswith((".gz", ".tgz"))
    contents = write_archive(stream, label, copy, order.data_dir, blobs, plugins, compress=compress)
    stream.flush()
    unfinished = order.target.with_name(f"{order.target.name}{UNFINISHED}")
    try:
        read_archive(unfinished)
    except DatabaseError as error:
        raise BackupFailed(
            f"What was written to {order.target} can't be read back, so it was not kept. Check the disk.",
            path=str(order.target),
        ) from error
    missing = len(contents.missing)
    files = len(blobs) - missing
    return Made(order.target, unfinished.stat().st_size, files, len(facts.blobs) - files, missing)


def _plugin_files(order: Order) -> list[str]:
    return list(plugin_files(order.data_dir)) if order.with_files else []


def _bytes_of(order: Order, names: list[str]) -> int:
    paths = [order.data_dir / name for name in names]
    return sum(path.stat().st_size for path in paths if path.exists())


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise BackupFailed(f"{target} exists already. Choose another name for the backup.", path=str(target))


def _check_space(order: Order, facts: Facts) -> None:
    folder = order.target.parent
    # The copy of the database exists twice for a moment.
    needed = order.database.stat().st_size * (2 if order.is_archive else 1)
    if order.is_archive and order.with_files:
        needed += 0 if order.are_elsewhere else sum(blob.size for blob in facts.blobs)
        needed += _bytes_of(order, _plugin_files(order))
    if folder.stat().st_dev == order.data_dir.stat().st_dev:
        needed += SPARE_BYTES
    free = order.free(folder)
    if free < needed:
        raise DatabaseError(
            f"The disk of {folder} is too full for a backup: {mib(needed)} MiB are needed and {mib(free)} MiB are "
            "free. Free some space, choose another disk, or leave the files out.",
            code="database_full",
            path=str(folder),
        )


@contextmanager
def _unfinished(target: Path) -> Generator[BinaryIO]:
    """Create the file that becomes the target, and lock it while it is written; what is left is removed at the end."""
    path = target.with_name(f"{target.name}{UNFINISHED}")
    copy = target.with_name(f"{target.name}{_COPY}")
    busy = BackupFailed(f"{target} is being written by another process. Wait for it.", path=str(target))
    if not remove_unfinished(path):
        raise busy
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise busy from None
    with os.fdopen(descriptor, "w+b") as stream:
        if not _own(descriptor, path):
            raise busy
        try:
            yield stream
        finally:
            discard_copy(copy)
            path.unlink(missing_ok=True)


def _own(descriptor: int, path: Path) -> bool:
    """Lock a new file; return False if another process has taken it for a left-over one in that moment."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def remove_unfinished(path: Path) -> bool:
    """Remove what a killed process has left of a backup; return False if it is still being written.

    Args:
        path: the backup's path with ``UNFINISHED`` behind it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The file with the lock last: after a kill in between, the others are still found by it.
        discard_copy(path.with_name(f"{path.name.removesuffix(UNFINISHED)}{_COPY}"))
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
