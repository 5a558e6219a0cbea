"""Folder of backups, of which the newest are kept."""

import re
from datetime import UTC, datetime
from pathlib import Path

from tgllm.db.engine.sqlite import in_words
from tgllm.db.file.backup import backup

__all__ = ["backup_into"]

# Files with other names are not ours and are never removed.
_OURS = re.compile(r"\d{8}T\d{6}\.\d{3}Z\.sqlite(\.unfinished)?")


def backup_into(path: Path, folder: Path, keep: int, now: int) -> Path:
    """Copy the database at ``path`` into a new file of ``folder``, then remove the oldest backups there.

    This call blocks; on a running loop use ``asyncio.to_thread``. It must not run twice at a time.

    Args:
        path: the database; it may be in use.
        folder: created with mode 0700 if missing.
        keep: number of backups to keep, including the new one.
        now: UTC in milliseconds, for the name of the file.

    Returns:
        The new file.

    Raises:
        BackupFailed: the copy is damaged, or a file of that name exists.
        DatabaseError: the database can't be read, or the folder can't be written: its disk may be full.
    """
    seconds, milliseconds = divmod(now, 1000)
    target = folder / f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}.{milliseconds:03}Z.sqlite"
    with in_words(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup(path, target)
    with in_words(folder):
        _prune(folder, keep, target)
    return target


def _prune(folder: Path, keep: int, made: Path) -> None:
    ours = sorted(file for file in folder.iterdir() if _OURS.fullmatch(file.name))
    for file in [file for file in ours if file.suffix == ".unfinished"]:
        # Left by a process that was killed.
        file.unlink(missing_ok=True)
    # The new backup always stays: with a clock that was once ahead, others may have later times in their names.
    others = [file for file in ours if file.suffix == ".sqlite" and file != made]
    for file in others[: max(len(others) - keep + 1, 0)]:
        file.unlink(missing_ok=True)
