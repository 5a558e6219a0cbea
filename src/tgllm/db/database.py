"""What the running program reads and writes through."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from tgllm.api.clock import Clock
from tgllm.db.connection import init_db
from tgllm.db.engine.changes import Changes
from tgllm.db.engine.sqlite import checkpoint
from tgllm.db.engine.writer import ConnectionThread

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """One writer, one reader, each a connection on a thread of its own.

    A unit of work is a plain function that takes the connection and may call any functions of the table modules; all
    that it does is stored together or not at all. It must not await, keep the connection, or begin and end
    transactions. Units that wait at the same moment share a commit.
    """

    def __init__(self, path: Path) -> None:
        """Prepare; ``Database.open`` is the way in."""
        self.path = path
        self._writer = ConnectionThread(path, "tgllm-db-writer", "BEGIN IMMEDIATE")
        self._reader = ConnectionThread(path, "tgllm-db-reader", "BEGIN")
        self._changes = Changes()

    @classmethod
    async def open(cls, path: Path, *, clock: Clock | None = None) -> Self:
        """Make or update the file at ``path`` (see ``init_db``) and open it.

        Raises:
            DatabaseError: the file can't be used, or is newer than the program.
        """
        await init_db(path, clock=clock)
        database = cls(path)
        try:
            await database._writer.open()
            await database._reader.open("PRAGMA query_only = ON")
            await database.changed_elsewhere()
        except BaseException:
            await database.aclose()
            raise
        return database

    async def write(
        self, unit: Callable[[sqlite3.Connection], T], *, durable: bool = True, then: Callable[[T], None] | None = None
    ) -> T:
        """Run ``unit``, all or nothing, and return what it returns once that is committed.

        Units run one after the other. Once begun, a unit runs to its end even if the caller is cancelled meanwhile;
        the caller then does not learn whether it was committed.

        Args:
            unit: what to do.
            durable: False does not wait for the disk. The transaction survives the end of the program, however that
                comes about, but a power cut may take it back until the next durable one; for what may then be done
                anew, such as a claim of an update.
            then: is told what the unit returned, once that is committed, before anybody else learns of it, and also
                where the caller was cancelled meanwhile. It runs on the event loop and must not raise: what it raises
                goes to the caller, and the unit stays stored.

        Raises:
            DatabaseError: the file can't be written; nothing of the unit is stored.
            sqlite3.IntegrityError: a row breaks a rule of the schema; nothing of the unit is stored.
        """
        return await self._writer.unit(unit, durable=durable, then=then)

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``query`` on one consistent view of the database: all that was committed before, nothing of what comes.

        Raises:
            DatabaseError: the file can't be read, or the query tried to write.
        """
        return await self._reader.unit(query)

    async def changed_elsewhere(self) -> bool:
        """Whether another process has written to the file since the last call."""
        return await self._writer.outside(self._changes.changed)

    async def checkpoint(self) -> bool:
        """Move all that was committed from the write-ahead log into the file, and empty the log.

        Returns:
            Whether it is empty; where another process reads at that moment, a part stays until a later checkpoint.

        Raises:
            DatabaseError: the file can't be written.
        """
        return await self._writer.outside(checkpoint)

    async def aclose(self) -> None:
        """Finish the units that wait, then close both connections. A second call does nothing."""
        await asyncio.gather(self._writer.aclose(), self._reader.aclose())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
