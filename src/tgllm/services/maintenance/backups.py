"""Database backups requested by an admin."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.file.backup_folder import backup_into

__all__ = ["Backup", "Backups"]


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    path: Path
    size: int
    """In bytes."""


class Backups:
    """Copies the database to the folder ``backups`` of the data folder, one copy at a time."""

    def __init__(self, database: Path, data_dir: Path, keep: int, clock: Clock) -> None:
        """Create the service.

        Args:
            database: path of the database file.
            data_dir: the data folder.
            keep: number of backups to keep; older ones are removed.
            clock: source of time, for the file names.
        """
        self._database = database
        self._folder = data_dir / "backups"
        self._keep = keep
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def make(self) -> Backup:
        """Make a backup in a thread, while the bot keeps running.

        Raises:
            DatabaseError: the backup failed; the message says why. The database is unchanged.
        """
        async with self._one_at_a_time:
            now = milliseconds(self._clock)
            return await asyncio.to_thread(self._copy, now)

    def _copy(self, now: int) -> Backup:
        path = backup_into(self._database, self._folder, self._keep, now)
        return Backup(path, path.stat().st_size)
