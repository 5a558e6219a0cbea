"""Removal of contents that no attachment has: left over by crashes, or by deleted attachments."""

import asyncio
import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.services.files.storage.folder import FOLDER, PART
from tgllm.services.files.storage.remote import RemoteFile
from tgllm.services.files.storage.store import FileStorage

__all__ = ["KEPT_SECONDS", "drop_parts", "sweep_blobs", "sweep_remote_exports"]

_BLOB: Final = re.compile(r"[0-9a-f]{32}")
"""Name of a blob: a UUID in hex."""
KEPT_SECONDS: Final = 86_400.0
"""Age from which a content without an attachment counts as left over: its row may not be committed yet."""
_EXPORTS: Final = f"{FOLDER}/exports/"


def drop_parts(data_dir: Path, before: float = math.inf) -> None:
    """Remove the downloads that were not finished when the program ended. Blocks; called before any download begins.

    Args:
        data_dir: the bot's data folder.
        before: UTC in seconds; those that were written to since then stay, since other processes may write them.
    """
    for path in (data_dir / FOLDER).glob(f"*{PART}"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


async def sweep_blobs(database: Database, storage: FileStorage, now: float) -> int:
    """Remove contents that no attachment has, with what is derived from them; return their number.

    Args:
        database: holds the attachments.
        storage: holds the contents.
        now: UTC, in seconds.

    Raises:
        DatabaseError: the database can't be used.
        StorageUnavailable: the remote storage can't be used.
        OSError: a file can't be removed.
    """
    before = now - KEPT_SECONDS
    old = await asyncio.to_thread(_old_blobs, storage.data_dir, before)
    old |= {
        _blob_of(file.path)
        for file in await storage.remote_files(f"{FOLDER}/", lambda file: _is_old_blob(file, before))
    }
    if not old:
        return 0
    unused = old - await database.read(lambda conn: files.paths_among(conn, old))
    await storage.remove(unused)
    return len(unused)


async def sweep_remote_exports(storage: FileStorage, now: float) -> None:
    """Remove files from the remote storage that were to be sent and are left over.

    Args:
        storage: holds the files.
        now: UTC, in seconds.

    Raises:
        StorageUnavailable: the remote storage can't be used.
    """
    old = await storage.remote_files(_EXPORTS, lambda file: file.modified < now - KEPT_SECONDS)
    await storage.remove([file.path for file in old])


def _old_blobs(data_dir: Path, before: float) -> set[str]:
    """Return the blobs from before a time, relative to the data folder; what is derived counts as its blob. Blocks."""
    folder = data_dir / FOLDER
    found: set[str] = set()
    for path in folder.iterdir() if folder.is_dir() else ():
        name = path.name.partition(".")[0]
        # A running turn may remove one meanwhile; what has another name is not ours, or is the folder of exports.
        with suppress(FileNotFoundError):
            if _BLOB.fullmatch(name) and path.is_file() and path.stat().st_mtime < before:
                found.add(f"{FOLDER}/{name}")
    return found


def _is_old_blob(file: RemoteFile, before: float) -> bool:
    return file.modified < before and _BLOB.fullmatch(_blob_of(file.path).removeprefix(f"{FOLDER}/")) is not None


def _blob_of(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"
