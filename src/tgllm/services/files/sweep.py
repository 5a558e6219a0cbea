"""Removal of contents that no attachment has: left over by crashes, or by deleted attachments."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.services.files.blobs import FOLDER, PART, remove_blobs

__all__ = ["drop_parts", "sweep_blobs"]

_BLOB: Final = re.compile(r"[0-9a-f]{32}")
"""Name of a blob: a UUID in hex."""
KEPT_SECONDS: Final = 86_400.0
"""Age from which a content without an attachment counts as left over: its row may not be committed yet."""


def drop_parts(data_dir: Path) -> None:
    """Remove the downloads that were not finished when the program ended. Blocks; called before any download begins."""
    for path in (data_dir / FOLDER).glob(f"*{PART}"):
        path.unlink(missing_ok=True)


async def sweep_blobs(database: Database, data_dir: Path, now: float) -> int:
    """Remove contents that no attachment has, with what is derived from them; return their number.

    Args:
        database: holds the attachments.
        data_dir: the bot's data folder.
        now: UTC, in seconds.

    Raises:
        DatabaseError: the database can't be used.
        OSError: a file can't be removed.
    """
    old = await asyncio.to_thread(_old_paths, data_dir, now - KEPT_SECONDS)
    if not old:
        return 0
    unused = old - await database.read(lambda conn: files.paths_among(conn, old))
    await asyncio.to_thread(remove_blobs, data_dir, unused)
    return len(unused)


def _old_paths(data_dir: Path, before: float) -> set[str]:
    """Return the blobs from before a time, relative to the data folder; what is derived counts as its blob."""
    folder = data_dir / FOLDER
    found: set[str] = set()
    for path in folder.iterdir() if folder.is_dir() else ():
        name = path.name.partition(".")[0]
        # A running turn may remove one meanwhile; what has another name is not ours, or is the folder of exports.
        with suppress(FileNotFoundError):
            if _BLOB.fullmatch(name) and path.is_file() and path.stat().st_mtime < before:
                found.add(f"{FOLDER}/{name}")
    return found
