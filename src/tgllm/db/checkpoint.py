"""What is left of content that was overwritten or deleted: in the write-ahead log of a file, in tables of a server."""

import asyncio

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.observe.logs import get_logger

__all__ = ["drop_deleted", "empty_log"]

log = get_logger(__name__)

TRIES = 5
"""Attempts, one second apart, while another process (such as a backup) reads the log."""


async def empty_log(database: Database, clock: Clock) -> None:
    """Truncate the log; log a warning if another process keeps reading it, and leave that to the next call.

    On a server nothing is done: its log is not the program's business.

    Raises:
        DatabaseError: the database can't be used.
    """
    for number in range(TRIES):
        if number:
            await clock.sleep(1.0)
        if await database.checkpoint():
            return
    log.warning("database.log_not_emptied")


async def drop_deleted(database: Database, clock: Clock) -> None:
    """After a deletion that a person has asked for, remove what is left of it, as far as the program can.

    A file is overwritten with zeros, and only its log is left. On a server the rows are removed from the tables; its
    log and its backups are the operator's business.

    Raises:
        DatabaseError: the database can't be used.
    """
    server = database.store.server
    if server is None:
        await empty_log(database, clock)
        return
    from tgllm.db.postgres.vacuum import vacuum  # noqa: PLC0415  imports psycopg, which few bots need

    if not await asyncio.to_thread(vacuum, server):
        log.warning("database.deleted_rows_left")
