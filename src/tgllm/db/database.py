"""Database access of the running program."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.connection import init_db
from tgllm.db.engine.data_version import DataVersion
from tgllm.db.engine.errors import DatabaseLost
from tgllm.db.engine.signals import Signal
from tgllm.db.engine.sqlite import checkpoint, in_words
from tgllm.db.engine.writer import ConnectionThread
from tgllm.db.file.identity import mark_program
from tgllm.db.file.known import mark_known
from tgllm.db.file.presence import Loss, Presence, mark_run

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """One writer and one reader, each a connection on its own thread.

    A unit of work is a plain function that takes the connection and may call any functions of the table modules; its
    changes are stored together or not at all. It must not await, keep the connection, or begin or end transactions.
    Units that are queued at the same time share a commit.
    """

    def __init__(self, path: Path) -> None:
        """Set up an unopened database; call ``Database.open`` instead."""
        self.path = path
        self._writer = ConnectionThread(path, "tgllm-db-writer", "BEGIN IMMEDIATE", self._announce)
        self._reader = ConnectionThread(path, "tgllm-db-reader", "BEGIN")
        self._data_version = DataVersion()
        self._presence: Presence | None = None
        self._has_written = False
        self._listeners: dict[Signal, list[Callable[[], None]]] = {}

    @classmethod
    async def open(cls, path: Path, *, clock: Clock | None = None) -> Self:
        """Create or migrate the file at ``path`` (see ``init_db``) and open it.

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
        """Run ``unit`` in a transaction and return its result after the commit.

        Units run one after another. A unit that has started runs to its end even if the caller is cancelled; the
        caller then does not know whether it was committed.

        Args:
            unit: the unit of work.
            durable: False commits without an fsync. The transaction survives a crash of the program, but a power
                failure may undo it until the next durable commit. For work that can be repeated, such as claiming an
                update.
            then: callback that receives the unit's result after the commit and before the caller, even if the caller
                was cancelled. It runs on the event loop and must not raise: an exception is passed to the caller,
                and the unit stays committed.

        Raises:
            DatabaseError: the file can't be written; the unit is rolled back.
            sqlite3.IntegrityError: a row violates a constraint of the schema; the unit is rolled back.
        """
        self._has_written = True
        return await self._writer.unit(unit, durable=durable, then=then)

    def on_commit(self, signal: Signal, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each commit that holds a unit which gave the signal.

        It is called on the event loop, before those who wait for the units go on, also where they were cancelled. It
        must return at once and not raise. What other processes commit is not noticed; see ``changed_elsewhere``.
        """
        self._listeners.setdefault(signal, []).append(listener)

    def _announce(self, signal: Signal) -> None:
        for listener in self._listeners.get(signal, ()):
            listener()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``query`` on a snapshot of the database: everything committed before, nothing committed meanwhile.

        Raises:
            DatabaseError: the file can't be read, or the query tried to write.
        """
        return await self._reader.unit(query)

    async def changed_elsewhere(self) -> bool:
        """Return whether another process has written to the file since the last call."""
        return await self._writer.outside(self._data_version.changed)

    async def watch_file(self, clock: Clock, beside: tuple[str, ...] = ()) -> None:
        """Remember the files in use and that the bot has run with them; ``lost`` compares.

        Args:
            clock: source of the time of a stored value.
            beside: names of further files of the folder that must stay.

        Raises:
            DatabaseError: the file can't be written.
        """
        run, now = secrets.token_hex(16), milliseconds(clock)

        def mark(conn: sqlite3.Connection) -> None:
            mark_run(conn, run, 0, now)
            mark_program(conn, now)

        await self.write(mark)
        # Without the id in the file itself, only the log has it. Another process may prevent the checkpoint.
        compared = run if await self.checkpoint() else None
        with in_words(self.path):
            await asyncio.to_thread(mark_known, self.path)
        self._presence = Presence(self.path, beside, compared)

    async def lost(self) -> Loss | None:
        """Return what of the files in use was deleted, moved or replaced since ``watch_file``."""
        return None if self._presence is None else await asyncio.to_thread(self._presence.look)

    async def mark_again(self, clock: Clock) -> None:
        """After writes, store a new mark, so that a copy of the file from before them is recognised.

        Raises:
            DatabaseError: the file can't be written.
        """
        if self._presence is None or not self._has_written:
            return
        self._has_written = False
        if mark := self._presence.next_mark():
            now = milliseconds(clock)
            await self._writer.unit(lambda conn: mark_run(conn, *mark, now), durable=False)

    async def rescue(self, loss: Loss, now: int) -> DatabaseLost:
        """Copy what is still there after a loss, and return the error that ends the bot."""
        from tgllm.db.file.rescue import RESCUED, loss_error, rescue  # noqa: PLC0415  short commands never need it

        if loss not in RESCUED:
            return loss_error(loss, self.path)
        error, is_copied = await self._writer.outside(lambda conn: rescue(conn, self.path, loss, now))
        if is_copied and loss == "replaced" and self._presence is not None:
            await asyncio.to_thread(self._presence.drop_logs)
        return error

    async def checkpoint(self) -> bool:
        """Copy all committed content from the write-ahead log into the file, and truncate the log.

        Returns:
            Whether the log is empty; if another process is reading, a part stays until a later checkpoint.

        Raises:
            DatabaseError: the file can't be written.
        """
        return await self._writer.outside(checkpoint)

    async def aclose(self) -> None:
        """Run the queued units, then close both connections. A second call does nothing."""
        await asyncio.gather(self._writer.aclose(), self._reader.aclose())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
