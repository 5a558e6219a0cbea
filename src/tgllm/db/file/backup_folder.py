"""A folder of backups, of which the newest are kept."""

import re
from datetime import UTC, datetime
from pathlib import Path

from tgllm.db.engine.sqlite import in_words
from tgllm.db.file.backup import backup

__all__ = ["backup_into"]

# Whatever else lies in the folder is somebody's own and stays.
_OURS = re.compile(r"\d{8}T\d{6}\.\d{3}Z\.sqlite(\.unfinished)?")


def backup_into(path: Path, folder: Path, keep: int, now: int) -> Path:
    """Copy the database at ``path`` into a new file of ``folder``, then remove all but the newest such files.

    This call blocks; on a running loop use ``asyncio.to_thread``. It must not run twice at once.

    Args:
        path: the database; others may use it meanwhile.
        folder: made where it is missing, for its owner only.
        keep: how many backups stay, this one included.
        now: UTC in milliseconds; the file is named after it.

    Returns:
        The new file.

    Raises:
        BackupFailed: the copy is not sound, or a file of that name is there.
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
        # What a run that was killed has left.
        file.unlink(missing_ok=True)
    # The one that was just made stays, even where a clock that was ahead has named others after later times.
    others = [file for file in ours if file.suffix == ".sqlite" and file != made]
    for file in others[: max(len(others) - keep + 1, 0)]:
        file.unlink(missing_ok=True)
