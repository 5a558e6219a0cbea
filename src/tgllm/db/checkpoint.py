"""Truncation of the write-ahead log, which still holds content that was overwritten or deleted in the tables."""

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.observe.logs import get_logger

__all__ = ["empty_log"]

log = get_logger(__name__)

TRIES = 5
"""Attempts, one second apart, while another process (such as a backup) reads the log."""


async def empty_log(database: Database, clock: Clock) -> None:
    """Truncate the log; log a warning if another process keeps reading it, and leave that to the next call.

    Raises:
        DatabaseError: the database can't be used.
    """
    for number in range(TRIES):
        if number:
            await clock.sleep(1.0)
        if await database.checkpoint():
            return
    log.warning("database.log_not_emptied")
