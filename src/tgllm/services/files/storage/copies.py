"""Copies in the data folder of files whose originals are in the remote storage: removed when they are not needed."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.observe.logs import get_logger
from tgllm.services.files.storage.folder import FOLDER, remove_blobs
from tgllm.services.files.storage.store import FileStorage

__all__ = ["copies_tidied", "tidy_copies"]

log = get_logger(__name__)

PAUSE_SECONDS: Final = 600.0
USED_SECONDS: Final = 3600.0
"""Time since its last use in which a copy stays: a turn may have its path."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy with what is derived from it."""

    path: str
    size: int
    used: float


async def tidy_copies(database: Database, storage: FileStorage, most_bytes: int, now: float) -> int:
    """Remove copies of what was deleted, also by another process, and the oldest above a limit; return their number.

    Args:
        database: holds the attachments.
        storage: holds the copies.
        most_bytes: size of all copies that stay.
        now: UTC, in seconds.

    Raises:
        DatabaseError: the database can't be used.
        OSError: a file can't be removed.
    """
    found = await asyncio.to_thread(_copies, storage.data_dir)
    unused = [copy for copy in found if copy.used < now - USED_SECONDS]
    if not unused:
        return 0
    paths = [copy.path for copy in unused]
    known = await database.read(lambda conn: files.paths_among(conn, paths))
    gone = [copy for copy in unused if copy.path not in known]
    left = sum(copy.size for copy in found) - sum(copy.size for copy in gone)
    for copy in sorted((copy for copy in unused if copy.path in known), key=lambda copy: copy.used):
        if left <= most_bytes:
            break
        gone.append(copy)
        left -= copy.size
    await asyncio.to_thread(remove_blobs, storage.data_dir, [copy.path for copy in gone])
    return len(gone)


@asynccontextmanager
async def copies_tidied(
    database: Database, storage: FileStorage, most_bytes: int, clock: Clock
) -> AsyncGenerator[None]:
    """Remove copies regularly until the context ends; without a remote storage, do nothing."""
    if not storage.is_remote:
        yield
        return
    task = asyncio.create_task(_tidy_always(database, storage, most_bytes, clock), name="copies of files")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _tidy_always(database: Database, storage: FileStorage, most_bytes: int, clock: Clock) -> None:
    while True:
        try:
            if count := await tidy_copies(database, storage, most_bytes, clock.now()):
                log.info("files.copies_removed", count=count)
        except (OSError, DatabaseError) as error:
            log.warning("files.copies_not_removed", error=type(error).__name__)
        await clock.sleep(PAUSE_SECONDS)


def _copies(data_dir: Path) -> list[_Copy]:
    folder = data_dir / FOLDER
    by_name: dict[str, list[tuple[int, float]]] = {}
    for path in _files(folder):
        with suppress(FileNotFoundError):
            found = path.stat()
            by_name.setdefault(path.name.partition(".")[0], []).append(
                (found.st_size, max(found.st_atime, found.st_mtime))
            )
    return [
        _Copy(f"{FOLDER}/{name}", sum(size for size, _ in each), max(used for _, used in each))
        for name, each in by_name.items()
    ]


def _files(folder: Path) -> Iterable[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
