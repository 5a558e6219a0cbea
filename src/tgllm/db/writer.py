"""A connection on a thread of its own: what runs there runs alone and to its end."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from tgllm.db.errors import DatabaseClosed
from tgllm.db.sqlite import connect, in_transaction, in_words

__all__ = ["ConnectionThread"]

T = TypeVar("T")

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]


class ConnectionThread:
    """One SQLite connection that only one thread uses.

    Jobs run one after the other in the order in which they were given. A job that has begun runs to its end even if
    the one who waits for it is cancelled; one that has not begun is then left out. The thread ends at exit of the
    program even where ``aclose`` was forgotten.
    """

    def __init__(self, path: Path, name: str, begin: Begin) -> None:
        """Prepare the thread ``name``; each unit of work of it starts with ``begin``."""
        self._path = path
        self._begin = begin
        self._conn: sqlite3.Connection | None = None
        self._closed = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def open(self, *pragmas: str) -> None:
        """Open the connection and set ``pragmas`` on it; ``aclose`` is due also where this fails.

        Raises:
            DatabaseError: the file can't be used.
        """

        def opening() -> None:
            self._conn = connect(self._path)
            for pragma in pragmas:
                self._conn.execute(pragma)

        await self._submit(opening)

    async def unit(self, unit: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Run ``unit`` as one transaction, in one hop to the thread and back.

        Args:
            unit: what to do.
            durable: whether the disk is waited for; see ``Database.write``.

        Raises:
            DatabaseError: the file can't be used (full disk, no access, damage), or is closed.
        """

        def lasting(conn: sqlite3.Connection) -> T:
            return in_transaction(conn, unit, self._begin)

        return await self.outside(lasting if durable else lambda conn: _without_sync(conn, lasting))

    async def outside(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``job`` on the connection, outside of any transaction."""
        return await self._submit(lambda: self._run(job))

    def _run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._conn is None:
            raise DatabaseClosed
        try:
            with in_words(self._path):
                return job(self._conn)
        except StopIteration as error:
            # A future can't carry a StopIteration; its waiter would wait for ever.
            raise RuntimeError("a unit of work raised StopIteration") from error

    async def _submit(self, job: Callable[[], T]) -> T:
        if self._closed:
            raise DatabaseClosed
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)

    async def aclose(self) -> None:
        """Run what was given before, close the connection, end the thread. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        closing = self._executor.submit(self._close)
        # No waiting here: the thread ends by itself after its last job, also when this call is cancelled.
        self._executor.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(closing))

    def _close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


def _without_sync(conn: sqlite3.Connection, job: Callable[[sqlite3.Connection], T]) -> T:
    # SQLite: in WAL mode NORMAL leaves out the sync at commit; the next commit with FULL syncs the whole log.
    conn.execute("PRAGMA synchronous = NORMAL")
    try:
        return job(conn)
    finally:
        conn.execute("PRAGMA synchronous = FULL")
