"""Several units of work in one transaction, each as if it were alone.

A commit costs many times what the statements of a unit do, and more where the disk is waited for. Units that wait at
the same moment therefore share one commit. Each has a savepoint of its own, so that one that fails is undone alone;
none of them is told that it is stored before all are.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

from tgllm.db.engine.sqlite import require_transaction

__all__ = ["Begin", "Job", "Outcome", "run_jobs"]

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]

Words = Callable[[], AbstractContextManager[None]]
"""Turns what SQLite says into sentences; see ``tgllm.db.engine.sqlite.in_words``."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done on a connection."""

    run: Callable[[sqlite3.Connection], Any]
    in_transaction: bool
    durable: bool = True
    """Whether the disk is waited for before it counts as done."""
    given_up: Callable[[], bool] = lambda: False
    """Whether nobody waits for it any more, so that it need not begin; asked on the connection's thread."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    value: Any = None
    error: BaseException | None = None

    def give_to(self, future: "asyncio.Future[Any]") -> None:
        """Let whoever waits have it; nobody may wait any more."""
        if future.done():
            return
        if self.error is None:
            future.set_result(self.value)
        else:
            future.set_exception(self.error)


_GIVEN_UP = Outcome(error=asyncio.CancelledError())


def run_jobs(conn: sqlite3.Connection, jobs: Sequence[Job], begin: Begin, words: Words) -> list[Outcome]:
    """Run jobs in order; units of work that follow each other share a transaction.

    Args:
        conn: with no transaction open.
        jobs: what to do.
        begin: how transactions start; those that start with ``BEGIN`` only read.
        words: what the errors of SQLite pass through.
    """
    outcomes: list[Outcome] = []
    for in_transaction, group in groupby(jobs, lambda job: job.in_transaction):
        if in_transaction:
            outcomes += _together(conn, list(group), begin, words)
        else:
            outcomes += [_attempt(partial(job.run, conn), words) for job in group]
    return outcomes


def _together(conn: sqlite3.Connection, units: Sequence[Job], begin: Begin, words: Words) -> list[Outcome]:
    """Run units in one transaction; if that can't begin, is lost or can't be committed, all of them have failed."""
    writes = begin == "BEGIN IMMEDIATE"

    def transaction() -> list[Outcome]:
        conn.execute(begin)
        try:
            outcomes = [_alone(conn, units[0])] if len(units) == 1 else _each(conn, units, words, undo=writes)
            conn.execute("COMMIT")
        finally:
            # A full disk or an I/O error may have rolled back already.
            if conn.in_transaction:
                conn.execute("ROLLBACK")
        return outcomes

    with _sync(conn, wait=not writes or any(unit.durable for unit in units)):
        whole = _attempt(transaction, words)
    return [whole] * len(units) if whole.error is not None else whole.value


def _alone(conn: sqlite3.Connection, unit: Job) -> Outcome:
    value = unit.run(conn)
    require_transaction(conn)
    return Outcome(value)


def _each(conn: sqlite3.Connection, units: Sequence[Job], words: Words, *, undo: bool) -> list[Outcome]:
    """Run units that share a transaction; with ``undo``, one that fails leaves nothing behind.

    Savepoints lie in each other and go with the commit, which saves a statement for each unit.

    Raises:
        BaseException: what made SQLite take back the whole transaction.
        DatabaseError: a unit ended the transaction.
    """
    outcomes: list[Outcome] = []
    for unit in units:
        if unit.given_up():
            outcomes.append(_GIVEN_UP)
            continue
        if undo:
            conn.execute("SAVEPOINT unit")
        outcome = _attempt(partial(unit.run, conn), words)
        if outcome.error is not None and not conn.in_transaction:
            raise outcome.error
        require_transaction(conn)
        if undo and outcome.error is not None:
            conn.execute("ROLLBACK TO unit")
        outcomes.append(outcome)
    return outcomes


def _attempt(job: Callable[[], Any], words: Words) -> Outcome:
    try:
        with words():
            return Outcome(job())
    except StopIteration as error:
        # A future can't carry a StopIteration; its waiter would wait for ever.
        broken = RuntimeError("a unit of work raised StopIteration")
        broken.__cause__ = error
        return Outcome(error=broken)
    except BaseException as error:  # noqa: BLE001  it is raised again where somebody waits for it
        return Outcome(error=error)


@contextmanager
def _sync(conn: sqlite3.Connection, *, wait: bool) -> Generator[None]:
    """Whether a commit waits for the disk."""
    if wait:
        yield
        return
    # SQLite: in WAL mode NORMAL leaves out the sync at commit; the next commit with FULL syncs the whole log.
    conn.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        conn.execute("PRAGMA synchronous = FULL")
