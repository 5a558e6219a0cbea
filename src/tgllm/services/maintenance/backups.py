"""Backups of the database at an admin's wish, one at a time."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.file.backup_folder import backup_into

__all__ = ["Backup", "Backups"]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that has been made."""

    path: Path
    size: int
    """Bytes."""


class Backups:
    """Copies the database into the folder ``backups`` of the data folder."""

    def __init__(self, database: Path, data_dir: Path, keep: int, clock: Clock) -> None:
        """Prepare.

        Args:
            database: the file.
            data_dir: the data folder.
            keep: backups that are kept; older ones are removed.
            clock: names the files.
        """
        self._database = database
        self._folder = data_dir / "backups"
        self._keep = keep
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def make(self) -> Backup:
        """Make one, in a thread; the bot goes on meanwhile.

        Raises:
            DatabaseError: it can't be made; the sentence says why. The database is as it was.
        """
        async with self._one_at_a_time:
            now = milliseconds(self._clock)
            return await asyncio.to_thread(self._copy, now)

    def _copy(self, now: int) -> Backup:
        path = backup_into(self._database, self._folder, self._keep, now)
        return Backup(path, path.stat().st_size)
