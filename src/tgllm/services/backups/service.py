"""Backups of a running bot: by schedule, or requested by an admin."""

import asyncio
from dataclasses import replace
from pathlib import Path

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.backups.folder import backup_into
from tgllm.services.backups.making import Made, Order
from tgllm.services.messaging.admins import AdminNotifier

__all__ = ["Backups", "failure_text"]

log = get_logger(__name__)

_SCOPE, _KEY = "backups", "failing"


class Backups:
    """Makes backups in a folder, one at a time."""

    def __init__(
        self, database: Database, order: Order, folder: Path, keep: int, clock: Clock, notifier: AdminNotifier
    ) -> None:
        """Create the service.

        Args:
            database: holds whether the admins know of a failure.
            order: what is backed up; target and time are those of each backup.
            folder: folder of the backups.
            keep: number of backups to keep; older ones are removed.
            clock: source of time, for the file names.
            notifier: tells the admins when scheduled backups fail.
        """
        self._database = database
        self._order = order
        self._folder = folder
        self.keep = keep
        self._clock = clock
        self._notifier = notifier
        self._one_at_a_time = asyncio.Lock()

    async def make(self) -> Made:
        """Make a backup in a thread, while the bot keeps running.

        Raises:
            DatabaseError: the backup failed; the message says why. The database is unchanged.
        """
        async with self._one_at_a_time:
            order = replace(self._order, now=milliseconds(self._clock))
            made = await asyncio.to_thread(backup_into, order, self._folder, self.keep)
        log.info("backup.made", path=str(made.path), bytes=made.size, files=made.files, missing=made.missing)
        await self._database.write(lambda conn: kv.delete(conn, _SCOPE, _KEY))
        return made

    async def make_scheduled(self, texts: Catalogue) -> None:
        """Make a backup; the admins get one message when backups begin to fail, and none until one has succeeded.

        Raises:
            DatabaseError: the backup failed, which the scheduler records.
        """
        try:
            await self.make()
        except DatabaseError as error:
            log.error("backup.failed", error=str(error))
            reason = failure_text(texts, "", error)
            text = texts("admin.backup.failing", reason=reason)
            await self._database.write(lambda conn: self._tell_once(conn, text))
            raise

    def _tell_once(self, conn: Connection, text: str) -> None:
        if kv.get(conn, _SCOPE, _KEY) is None:
            kv.set_value(conn, _SCOPE, _KEY, True, milliseconds(self._clock))
            self._notifier.add(conn, text)


def failure_text(texts: Catalogue, language: str, error: DatabaseError) -> str:
    """Return why a backup failed and what to do, for a chat."""
    if error.code == "database_full":
        return texts("admin.backup.full", language, reason=str(error))
    return texts("admin.backup.failed", language, reason=str(error))
