"""Upkeep of the index of the search, in small pieces beside the other work.

A turn only notes its messages as waiting: the search reads those directly until they are in the index. What the index
holds of deleted messages is taken out soon after the commit, and after a crash at the next start.
"""

from collections.abc import Callable
from typing import Final

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.checkpoint import empty_log
from tgllm.db.database import Database
from tgllm.db.engine.full_text import has_full_text
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv
from tgllm.db.tables.memory import message_search
from tgllm.observe.logs import get_logger
from tgllm.services.search.folding import FOLD_VERSION, fold

__all__ = ["SearchIndex"]

log = get_logger(__name__)

SCOPE: Final = "search"
VERSION: Final = "index"
"""Key of the version of the fold with which the index was made; none: it was not made, or is not complete."""
MOST_TOGETHER: Final = 24
"""Messages that are put in or taken out in one transaction: about twenty milliseconds."""
MERGE_PAGES: Final = 64
LOOK_SECONDS: Final = 60.0
"""Seconds between two looks for waiting messages."""


class SearchIndex:
    """The index of the messages of a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Put waiting messages into the index until cancelled."""
        while True:
            try:
                await self.update()
            except DatabaseError as error:
                # The disk is full or locked; the next look tries again.
                log.warning("search.index_not_updated", code=error.code)
            await self._clock.sleep(LOOK_SECONDS)

    async def update(self) -> int:
        """Take deleted messages out of the index, put waiting ones in, and return the number of the latter."""
        if await self.purge():
            await empty_log(self._database, self._clock)
        if not await self._database.read(_has_work):
            return 0
        await self._database.write(lambda conn: _use_version(conn, milliseconds(self._clock)), durable=False)
        return await self._repeat(lambda conn: message_search.add_next(conn, fold, MOST_TOGETHER))

    async def purge(self) -> bool:
        """Remove what the index still holds of deleted messages, also from its older segments.

        Call it after each commit that deletes messages, and at startup: after a crash it goes on. The write-ahead log
        is not emptied.

        Returns:
            Whether there was anything.
        """
        if not await self._database.read(message_search.has_removals):
            return False
        await self._database.write(_refuse_stale)
        await self._repeat(lambda conn: message_search.remove_next(conn, fold, MOST_TOGETHER))
        while not await self._database.write(lambda conn: message_search.merge_segments(conn, MERGE_PAGES)):
            pass
        await self._database.write(message_search.drop_removed)
        return True

    async def _repeat(self, piece: Callable[[Connection], int]) -> int:
        """Run a unit of work in transactions of its own until there is nothing left; return the sum of its results."""
        done = 0
        while last := await self._database.write(piece, durable=False):
            done += last
        return done


def _has_work(conn: Connection) -> bool:
    return has_full_text(conn) and (message_search.has_waiting(conn) or not _is_current(conn))


def _use_version(conn: Connection, now: int) -> None:
    if not _is_current(conn):
        message_search.rebuild(conn)
        kv.set_value(conn, SCOPE, VERSION, FOLD_VERSION, now)


def _refuse_stale(conn: Connection) -> None:
    """Give the index up if its entries can't be deleted one by one any more: then it is emptied and made anew."""
    if not has_full_text(conn):
        message_search.forget_index(conn)
        kv.delete(conn, SCOPE, VERSION)
    elif not _is_current(conn):
        message_search.rebuild(conn)
        kv.delete(conn, SCOPE, VERSION)


def _is_current(conn: Connection) -> bool:
    return kv.get(conn, SCOPE, VERSION) == FOLD_VERSION
