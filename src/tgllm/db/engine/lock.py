"""Lock on the data folder: one running program for each."""

import errno
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tgllm.db.engine.errors import DataFolderBusy
from tgllm.db.engine.sqlite import in_words

__all__ = ["LOCK_NAME", "is_locked", "lock_data_folder"]

LOCK_NAME = "tgllm.lock"


@contextmanager
def lock_data_folder(folder: Path) -> Generator[None]:
    """Lock the data folder for the duration of a ``with``.

    The operating system releases the lock when the process ends, however it ends. The lock file is never removed:
    otherwise two processes could each lock a file of the same name.

    Raises:
        DataFolderBusy: another process holds the lock; the message names the folder and the process.
        DatabaseError: the folder can't be created, written or locked: its disk may be full.
    """
    path = folder / LOCK_NAME
    with in_words(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with in_words(path):
            _take(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def is_locked(folder: Path) -> bool:
    """Return whether a program runs on the data folder; for a moment this locks it."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise DataFolderBusy(
            f"Another tgllm (process {pid}) runs on the data folder {folder}. "
            "Stop it first, or give this one a data folder of its own.",
            folder=str(folder),
            pid=pid,
        ) from None
    os.truncate(descriptor, 0)
    try:
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
    except OSError as error:
        # The number is only for the message above; the lock works on a full disk too.
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
