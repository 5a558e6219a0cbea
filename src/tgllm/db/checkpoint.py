"""Empties the write-ahead log of the database, which still holds what was overwritten or deleted in the tables."""

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.observe.logs import get_logger

__all__ = ["empty_log"]

log = get_logger(__name__)

TRIES = 5
"""Times, a second apart, that it is tried while another process reads the log, such as a backup."""


async def empty_log(database: Database, clock: Clock) -> None:
    """Leave nothing in the log; where another process goes on reading it, that is done by the next call.

    Raises:
        DatabaseError: the database can't be used.
    """
    for number in range(TRIES):
        if number:
            await clock.sleep(1.0)
        if await database.checkpoint():
            return
    log.warning("database.log_not_emptied")
