"""Batches of units of work that share a transaction, isolated from each other by savepoints.

A commit costs many times more than the statements of a unit, and an fsync costs more still. Units that are queued at
the same time therefore share one commit. Each has its own savepoint, so that a failed unit is rolled back alone. No
unit is reported as stored before the shared commit.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from tgllm.api.errors import DatabaseError
from tgllm.db.engine.session import Mode, Session
from tgllm.db.engine.signals import NO_SIGNALS, Signal, take_signals

__all__ = ["Job", "Outcome", "run_jobs"]


@dataclass(frozen=True, slots=True)
class Job:
    """Function to run on a connection."""

    run: Callable[[Any], Any]
    """Gets the connection in a transaction, and the session otherwise."""
    in_transaction: bool
    durable: bool = True
    """Whether its commit needs an fsync."""
    given_up: Callable[[], bool] = lambda: False
    """Whether the caller was cancelled, so that the job can be skipped; called on the connection's thread."""
    answers: Signal | None = None
    """A signal after which such a job is run: given earlier in the same transaction, it is answered by this one."""
    claims: bool = False
    """Whether it needs a transaction of its own, in the mode ``claim``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a job: a value or an error."""

    value: Any = None
    error: BaseException | None = None
    signals: frozenset[Signal] = NO_SIGNALS
    """What the job gave, and what no later job of its transaction has reacted to; it is committed."""
    given: frozenset[Signal] = NO_SIGNALS
    """All that the job gave."""

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


def run_jobs(session: Session, jobs: Sequence[Job], mode: Mode) -> list[Outcome]:
    """Run jobs in order; consecutive units of work share a transaction, unless one claims.

    Args:
        session: without an open transaction.
        jobs: the jobs.
        mode: of their transactions.
    """
    outcomes: list[Outcome] = []
    for (in_transaction, claims), group in groupby(jobs, lambda job: (job.in_transaction, job.claims)):
        if claims:
            outcomes += [_together(session, [job], "claim")[0] for job in group]
        elif in_transaction:
            outcomes += _together(session, list(group), mode)
        else:
            outcomes += [_attempt(partial(job.run, session), session) for job in group]
    return outcomes


def _together(session: Session, units: Sequence[Job], mode: Mode) -> list[Outcome]:
    """Run units in one transaction; if it can't begin, is lost or can't be committed, all of them fail."""
    writes = mode != "read"
    durable = not writes or any(unit.durable for unit in units)
    undo = writes or session.dies_of_errors

    def transaction() -> list[Outcome]:
        # A transaction that was rolled back may have left some.
        take_signals(session.connection)
        try:
            session.begin(mode, durable=durable)
            outcomes = [_alone(session, units[0])] if len(units) == 1 else _each(session, units, undo=undo)
            session.commit(NO_SIGNALS.union(*(outcome.given for outcome in outcomes)))
        finally:
            # After a commit, and after an error on which the database rolls back by itself, this does nothing.
            session.rollback()
        return outcomes

    attempt = 1
    while (whole := _attempt(transaction, session)).error is not None and session.repeats(whole.error, attempt):
        attempt += 1
    return [whole] * len(units) if whole.error is not None else whole.value


def _alone(session: Session, unit: Job) -> Outcome:
    value = unit.run(session.connection)
    _require_transaction(session)
    given = take_signals(session.connection)
    return Outcome(value, signals=given, given=given)


def _each(session: Session, units: Sequence[Job], *, undo: bool) -> list[Outcome]:
    """Run units that share a transaction; with ``undo``, a failed unit is rolled back.

    Savepoints are nested and released by the commit, which saves a RELEASE for each unit.

    Raises:
        BaseException: the error on which the whole transaction is lost.
        DatabaseError: a unit ended the transaction.
    """
    outcomes: list[Outcome] = []
    for unit in units:
        if unit.given_up():
            outcomes.append(_GIVEN_UP)
            continue
        if undo:
            session.savepoint()
        outcome = _attempt(partial(unit.run, session.connection), session)
        if outcome.error is not None and session.is_lost(outcome.error):
            raise outcome.error
        signals = take_signals(session.connection)
        if outcome.error is None:
            _require_transaction(session)
        elif undo:
            session.undo()
        if outcome.error is None:
            outcome = Outcome(outcome.value, signals=signals, given=signals)
            if unit.answers is not None:
                outcomes = [earlier.answered(unit.answers) for earlier in outcomes]
        outcomes.append(outcome)
    return outcomes


def _require_transaction(session: Session) -> None:
    """Check that a transaction is still open after a unit of work.

    Raises:
        DatabaseError: the unit ended it.
    """
    if not session.is_open:
        raise DatabaseError("a unit of work ended its own transaction", code="database_unit")


def _attempt(job: Callable[[], Any], session: Session) -> Outcome:
    try:
        with session.words():
            return Outcome(job())
    except StopIteration as error:
        # A future can't hold a StopIteration: set_exception refuses it, and the caller would wait forever.
        broken = RuntimeError("a unit of work raised StopIteration")
        broken.__cause__ = error
        return Outcome(error=broken)
    except BaseException as error:  # noqa: BLE001  re-raised in the caller by its future
        return Outcome(error=error)
