"""Batches of units of work that share a transaction, isolated from each other by savepoints.

A commit costs many times more than the statements of a unit, and an fsync costs more still. Units that are queued at
the same time therefore share one commit. Each has its own savepoint, so that a failed unit is rolled back alone. No
unit is reported as stored before the shared commit.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any, Literal

from tgllm.db.engine.signals import NO_SIGNALS, Signal, take_signals
from tgllm.db.engine.sqlite import require_transaction

__all__ = ["Begin", "Job", "Outcome", "Words", "run_jobs"]

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]

Words = Callable[[], AbstractContextManager[None]]
"""Context manager that translates SQLite's errors; see ``tgllm.db.engine.sqlite.in_words``."""


@dataclass(frozen=True, slots=True)
class Job:
    """Function to run on a connection."""

    run: Callable[[sqlite3.Connection], Any]
    in_transaction: bool
    durable: bool = True
    """Whether its commit needs an fsync."""
    given_up: Callable[[], bool] = lambda: False
    """Whether the caller was cancelled, so that the job can be skipped; called on the connection's thread."""
    answers: Signal | None = None
    """A signal after which such a job is run: given earlier in the same transaction, it is answered by this one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a job: a value or an error."""

    value: Any = None
    error: BaseException | None = None
    signals: frozenset[Signal] = NO_SIGNALS
    """What the job gave; it is committed."""

    def answered(self, signal: Signal) -> "Outcome":
        """Return the outcome without a signal to which a later job of the transaction has reacted."""
        return replace(self, signals=self.signals - {signal}) if signal in self.signals else self

    def give_to(self, future: "asyncio.Future[Any]") -> None:
        """Resolve ``future`` unless it is done: its caller may have been cancelled."""
        if future.done():
            return
        if self.error is None:
            future.set_result(self.value)
        else:
            future.set_exception(self.error)


_GIVEN_UP = Outcome(error=asyncio.CancelledError())


def run_jobs(conn: sqlite3.Connection, jobs: Sequence[Job], begin: Begin, words: Words) -> list[Outcome]:
    """Run jobs in order; consecutive units of work share a transaction.

    Args:
        conn: a connection without an open transaction.
        jobs: the jobs.
        begin: the statement that starts a transaction; ``BEGIN`` means read only.
        words: the context manager that translates SQLite's errors.
    """
    outcomes: list[Outcome] = []
    for in_transaction, group in groupby(jobs, lambda job: job.in_transaction):
        if in_transaction:
            outcomes += _together(conn, list(group), begin, words)
        else:
            outcomes += [_attempt(partial(job.run, conn), words) for job in group]
    return outcomes


def _together(conn: sqlite3.Connection, units: Sequence[Job], begin: Begin, words: Words) -> list[Outcome]:
    """Run units in one transaction; if it can't begin, is lost or can't be committed, all of them fail."""
    writes = begin == "BEGIN IMMEDIATE"

    def transaction() -> list[Outcome]:
        # A transaction that was rolled back may have left some.
        take_signals(conn)
        conn.execute(begin)
        try:
            outcomes = [_alone(conn, units[0])] if len(units) == 1 else _each(conn, units, words, undo=writes)
            conn.execute("COMMIT")
        finally:
            # SQLite rolls back by itself on some errors, such as a full disk.
            if conn.in_transaction:
                conn.execute("ROLLBACK")
        return outcomes

    with _sync(conn, wait=not writes or any(unit.durable for unit in units)):
        whole = _attempt(transaction, words)
    return [whole] * len(units) if whole.error is not None else whole.value


def _alone(conn: sqlite3.Connection, unit: Job) -> Outcome:
    value = unit.run(conn)
    require_transaction(conn)
    return Outcome(value, signals=take_signals(conn))


def _each(conn: sqlite3.Connection, units: Sequence[Job], words: Words, *, undo: bool) -> list[Outcome]:
    """Run units that share a transaction; with ``undo``, a failed unit is rolled back.

    Savepoints are nested and released by the commit, which saves a RELEASE for each unit.

    Raises:
        BaseException: the error on which SQLite rolled back the whole transaction.
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
        signals = take_signals(conn)
        if undo and outcome.error is not None:
            conn.execute("ROLLBACK TO unit")
        if outcome.error is None:
            outcome = Outcome(outcome.value, signals=signals)
            if unit.answers is not None:
                outcomes = [earlier.answered(unit.answers) for earlier in outcomes]
        outcomes.append(outcome)
    return outcomes


def _attempt(job: Callable[[], Any], words: Words) -> Outcome:
    try:
        with words():
            return Outcome(job())
    except StopIteration as error:
        # A future can't hold a StopIteration: set_exception refuses it, and the caller would wait forever.
        broken = RuntimeError("a unit of work raised StopIteration")
        broken.__cause__ = error
        return Outcome(error=broken)
    except BaseException as error:  # noqa: BLE001  re-raised in the caller by its future
        return Outcome(error=error)


@contextmanager
def _sync(conn: sqlite3.Connection, *, wait: bool) -> Generator[None]:
    """Commit with an fsync if ``wait``, without one otherwise."""
    if wait:
        yield
        return
    # SQLite: in WAL mode, NORMAL skips the fsync at commit; the next commit with FULL syncs the whole log.
    conn.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        conn.execute("PRAGMA synchronous = FULL")
