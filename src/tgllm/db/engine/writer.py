"""A connection on a thread of its own: what runs there runs alone and to its end."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from tgllm.db.engine.batch import Job, Outcome, run_jobs
from tgllm.db.engine.errors import DatabaseClosed
from tgllm.db.engine.sqlite import connect, in_words

__all__ = ["ConnectionThread"]

T = TypeVar("T")

MOST_TOGETHER = 64
"""Jobs of one batch at most, so that none waits for many others to be committed with it."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job, and who is to learn what came of it."""

    job: Job
    future: "asyncio.Future[Any]"
    then: Callable[[Any], None] | None

    def tell(self, outcome: Outcome) -> None:
        """Say what came of it; called on the loop."""
        if self.then is not None and outcome.error is None:
            try:
                self.then(outcome.value)
            except Exception as error:  # noqa: BLE001  others of the batch still have to learn of theirs
                outcome = Outcome(error=error)
        outcome.give_to(self.future)


class ConnectionThread:
    """One SQLite connection that only one thread uses.

    Jobs run one after the other in the order in which they were given; those that came while others ran go to the
    thread together, and units of work among them share a transaction (see ``tgllm.db.engine.batch``). A job that has
    begun runs to its end even if the one who waits for it is cancelled; one that has not begun is then left out. The
    thread ends at exit of the program even where ``aclose`` was forgotten. All calls come from one event loop.
    """

    def __init__(self, path: Path, name: str, begin: Literal["BEGIN", "BEGIN IMMEDIATE"]) -> None:
        """Prepare the thread ``name``; each transaction of it starts with ``begin``."""
        self._path = path
        self._begin: Literal["BEGIN", "BEGIN IMMEDIATE"] = begin
        self._conn: sqlite3.Connection | None = None
        self._closed = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: list[_Waiting] = []
        self._busy = False

    async def open(self, *pragmas: str) -> None:
        """Open the connection and set ``pragmas`` on it; ``aclose`` is due also where this fails.

        Raises:
            DatabaseError: the file can't be used.
        """

        def opening() -> None:
            self._conn = connect(self._path)
            for pragma in pragmas:
                self._conn.execute(pragma)

        if self._closed:
            raise DatabaseClosed
        await asyncio.get_running_loop().run_in_executor(self._executor, opening)

    async def unit(
        self, unit: Callable[[sqlite3.Connection], T], *, durable: bool = True, then: Callable[[T], None] | None = None
    ) -> T:
        """Run ``unit`` within a transaction; it is committed when this returns, and undone if it raises.

        Args:
            unit: what to do.
            durable: whether the disk is waited for; see ``Database.write``.
            then: is told what it returned; see there.

        Raises:
            DatabaseError: the file can't be used (full disk, no access, damage), or is closed.
        """
        return await self._submit(unit, in_transaction=True, durable=durable, then=then)

    async def outside(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``job`` on the connection, outside of any transaction."""
        return await self._submit(job, in_transaction=False)

    async def _submit(
        self,
        run: Callable[[sqlite3.Connection], T],
        *,
        in_transaction: bool,
        durable: bool = True,
        then: Callable[[T], None] | None = None,
    ) -> T:
        if self._closed:
            raise DatabaseClosed
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(Job(run, in_transaction, durable, future.cancelled), future, then))
        if not self._busy:
            self._busy = True
            # Not at once: what else this round of the loop has for the database goes along.
            loop.call_soon(self._next_batch, loop)
        return await future

    def _next_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the thread what waits; called on the loop while the thread has nothing to do."""
        if self._closed:
            return
        batch = [waiting for waiting in self._waiting[:MOST_TOGETHER] if not waiting.future.done()]
        del self._waiting[:MOST_TOGETHER]
        self._busy = bool(batch or self._waiting)
        if batch:
            self._executor.submit(self._work, loop, batch)
        elif self._waiting:
            loop.call_soon(self._next_batch, loop)

    def _work(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        """Run jobs; called on the thread."""
        outcomes = self._outcomes([waiting.job for waiting in batch])
        try:
            loop.call_soon_threadsafe(self._done, loop, batch, outcomes)
        except RuntimeError:
            # The loop is closed, so that nobody waits any more; what was committed stays.
            return

    def _outcomes(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        try:
            if self._conn is None:
                raise DatabaseClosed
            return run_jobs(self._conn, jobs, self._begin, lambda: in_words(self._path))
        except BaseException as error:  # noqa: BLE001  whoever waits has to learn of everything
            return [Outcome(error=error)] * len(jobs)

    def _done(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
        """Tell those who wait, and go on with what has come meanwhile; called on the loop."""
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.tell(outcome)
        self._next_batch(loop)

    async def aclose(self) -> None:
        """Run what was given before, close the connection, end the thread. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        rest, self._waiting = [waiting for waiting in self._waiting if not waiting.future.done()], []
        loop = asyncio.get_running_loop()
        if rest:
            self._executor.submit(self._work, loop, rest)
        closing = self._executor.submit(self._close)
        # No waiting here: the thread ends by itself after its last job, also when this call is cancelled.
        self._executor.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(closing))

    def _close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()
