"""Session with its own thread, on which jobs run one at a time and to their end."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar

from tgllm.db.engine.batch import Job, Outcome, run_jobs
from tgllm.db.engine.errors import DatabaseClosed
from tgllm.db.engine.gate import StorageGate, is_passing
from tgllm.db.engine.session import Session, Store, Use
from tgllm.db.engine.signals import Signal
from tgllm.db.engine.unit import Connection

__all__ = ["ConnectionThread", "Operation", "Timings", "timed_transactions"]

T = TypeVar("T")

MOST_TOGETHER = 64
"""Maximum number of jobs in a batch; a job's result waits for the commit of its whole batch."""

Operation = Literal["read", "write"]


class Timings(Protocol):
    """Receiver of durations; called on the event loop."""

    def waited(self, seconds: float, operation: Operation) -> None:
        """Take the time that a unit has waited for its transaction."""
        ...

    def took(self, seconds: float, operation: Operation) -> None:
        """Take the duration of a batch."""
        ...


class _Observed:
    """Who receives the durations of all connections of the process; short commands measure nothing."""

    timings: Timings | None = None


@contextmanager
def timed_transactions(timings: Timings) -> Generator[None]:
    """Pass the durations of transactions to ``timings`` inside the block."""
    _Observed.timings = timings
    try:
        yield
    finally:
        _Observed.timings = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A queued job with its future and callback."""

    job: Job
    future: "asyncio.Future[Any]"
    then: Callable[[Any], None] | None
    since: float = 0.0
    """When it was queued, by the loop's clock; 0 if it is not measured."""
    patient: bool = True
    """Whether it may wait for the disk; otherwise its caller gets the error."""

    def tell(self, outcome: Outcome) -> None:
        """Call ``then`` and resolve the future; called on the event loop."""
        if self.then is not None and outcome.error is None:
            try:
                self.then(outcome.value)
            except Exception as error:  # noqa: BLE001  the other futures of the batch must still be resolved
                outcome = Outcome(error=error)
        outcome.give_to(self.future)


class ConnectionThread:
    """One session, used by one thread only.

    Jobs run one after another in the order of submission. Jobs that are submitted while others run form the next batch,
    and consecutive units of work in it share a transaction (see ``tgllm.db.engine.batch``). A job that has started
    runs to its end even if its caller is cancelled; a job that has not started is then skipped. The thread ends with
    the program even without ``aclose``. All calls come from one event loop.

    With ``wait_at`` a unit that fails for a reason that may pass, such as a full disk, is rolled back and kept, and its
    caller waits; ``try_again`` runs it again. Such a unit runs more than once, so it must change nothing but the
    database.
    """

    def __init__(
        self,
        store: Store,
        use: Use,
        announce: Callable[[Signal], None] = lambda _signal: None,
    ) -> None:
        """Set up the thread.

        Args:
            store: where the database is.
            use: what the session is for; the thread is named after it.
            announce: called on the loop with each signal of what was committed.
        """
        self._store = store
        self._use: Use = use
        self._announce = announce
        self._session: Session | None = None
        self._closed = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"tgllm-db-{use}")
        self._waiting: list[_Waiting] = []
        self._busy = False
        self._operation: Operation = "read" if use == "reader" else "write"
        self._began = 0.0
        """When the running batch began, by the loop's clock; 0 if it is not measured."""
        self._gate: StorageGate | None = None
        self._name = use
        self._held: list[_Waiting] = []
        """Units that wait for the disk."""
        self._obstacle: BaseException | None = None
        """The latest error for which one of them does."""
        self._again = False
        self._retried: Sequence[_Waiting] = ()
        """Those of them that run again in the present batch."""
        self.ended = 0
        """Number of jobs that have ended. What a unit has read is what a later one would read as long as this is the
        number that the callback of the unit has found: nothing else has run on the connection meanwhile."""

    async def open(self) -> None:
        """Open the session; ``aclose`` must be called even if this fails.

        Raises:
            DatabaseError: the database can't be used.
        """

        def opening() -> None:
            self._session = self._store.open(self._use)

        if self._closed:
            raise DatabaseClosed
        await asyncio.get_running_loop().run_in_executor(self._executor, opening)

    def wait_at(self, gate: StorageGate) -> None:
        """Keep units that fail for a reason that may pass, and note them at the gate."""
        self._gate = gate

    def try_again(self) -> None:
        """Run the units again that wait for the disk."""
        self._again = True
        if not (self._busy or self._closed):
            self._busy = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._next_batch, loop)

    def wait_no_more(self) -> None:
        """Pass the error to the callers of the units that wait, and from now on to all callers."""
        gate, self._gate = self._gate, None
        held, self._held = self._held, []
        for waiting in held:
            waiting.tell(Outcome(error=self._obstacle))
        if gate is not None:
            gate.note(self._name, 0)

    async def unit(
        self,
        unit: Callable[[Connection], T],
        *,
        durable: bool = True,
        then: Callable[[T], None] | None = None,
        patient: bool = True,
        answers: Signal | None = None,
        claims: bool = False,
    ) -> T:
        """Run ``unit`` in a transaction: committed when this returns, rolled back if it raises.

        Args:
            unit: the unit of work.
            durable: whether the commit needs an fsync; see ``Database.write``.
            then: callback for the unit's result; see ``Database.write``.
            patient: whether it may wait for the disk; see ``Database.write``.
            answers: signal to which the unit reacts; see ``Database.write``.
            claims: whether it runs alone in its transaction, in the mode ``claim``.

        Raises:
            DatabaseError: the database can't be used (full disk, no access, damage) or is closed.
        """
        job = Job(unit, in_transaction=True, durable=durable, answers=answers, claims=claims)
        return await self._submit(job, then, patient=patient)

    async def outside(self, job: Callable[[Session], T]) -> T:
        """Run ``job`` on the session, outside any transaction."""
        return await self._submit(Job(job, in_transaction=False))

    async def _submit(self, job: Job, then: Callable[[Any], None] | None = None, *, patient: bool = False) -> Any:  # noqa: ANN401  as the job returns it
        if self._closed:
            raise DatabaseClosed
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        since = loop.time() if _Observed.timings is not None else 0.0
        self._waiting.append(_Waiting(replace(job, given_up=future.cancelled), future, then, since, patient))
        if not self._busy:
            self._busy = True
            # Not at once: other jobs submitted in this iteration of the loop join the batch.
            loop.call_soon(self._next_batch, loop)
        return await future

    def _next_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Submit the next batch; called on the event loop while the thread is idle."""
        if self._closed:
            return
        batch: Sequence[_Waiting] = self._take_held() if self._again else ()
        if not batch:
            batch = [waiting for waiting in self._waiting[:MOST_TOGETHER] if not waiting.future.done()]
            del self._waiting[:MOST_TOGETHER]
        self._busy = bool(batch or self._waiting)
        if batch:
            self._note_start(loop, batch)
            self._executor.submit(self._work, loop, batch)
        elif self._waiting:
            loop.call_soon(self._next_batch, loop)

    def _take_held(self) -> Sequence[_Waiting]:
        """Return the units that wait for the disk, without those whose callers were cancelled."""
        self._again = False
        held, self._held = self._held, []
        self._retried = [waiting for waiting in held if not waiting.future.done()]
        if held and not self._retried and self._gate is not None:
            self._gate.note_cancelled(self._name)
        return self._retried

    def _note_start(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        timings = _Observed.timings
        if timings is None:
            return
        self._began = loop.time()
        for waiting in batch:
            if waiting.since:
                timings.waited(self._began - waiting.since, self._operation)

    def _work(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        """Run a batch; called on the thread."""
        outcomes = self._outcomes([waiting.job for waiting in batch])
        try:
            loop.call_soon_threadsafe(self._done, loop, batch, outcomes)
        except RuntimeError:
            # The loop is closed, so no caller waits; committed work stays committed.
            return
        if self._operation == "write" and self._session is not None:
            self._session.after_write()

    def _outcomes(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        try:
            if self._session is None:
                raise DatabaseClosed
            outcomes = run_jobs(self._session, jobs, self._operation)
            return self._each_alone(self._session, jobs, outcomes) if len(jobs) > 1 and self._gate else outcomes
        except BaseException as error:  # noqa: BLE001  every error must reach the callers
            return [Outcome(error=error)] * len(jobs)

    def _each_alone(self, session: Session, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Run units alone that have failed together: on a nearly full disk there may be room for the small ones.

        Not those that a lock has stopped, or a server that is away: each would wait for its end again.
        """

        def again(job: Job, outcome: Outcome) -> Outcome:
            is_of_disk = job.in_transaction and is_passing(outcome.error)
            if not is_of_disk or getattr(outcome.error, "code", "") in {"database_locked", "database_away"}:
                return outcome
            return run_jobs(session, [job], self._operation)[0]

        return [again(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True)]

    def _note_end(self, gate: StorageGate, batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
        """Note at the gate what a batch says of the disk; that of a cancelled caller may not have run."""

        def is_stored(waiting: _Waiting, outcome: Outcome) -> bool:
            return waiting.job.in_transaction and outcome.error is None and not waiting.future.cancelled()

        if count := len(self._held) + len(self._retried):
            gate.note(self._name, count, self._obstacle)
        elif any(is_stored(waiting, outcome) for waiting, outcome in zip(batch, outcomes, strict=True)):
            gate.note_success(self._name)
        else:
            gate.note_cancelled(self._name)

    def _done(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
        """Resolve the futures of a batch and submit the next one; called on the event loop."""
        if self._began:
            if _Observed.timings is not None:
                _Observed.timings.took(loop.time() - self._began, self._operation)
            self._began = 0.0
        is_retry = batch is self._retried
        if is_retry:
            self._retried = ()
        before = self.ended
        places = enumerate(zip(batch, outcomes, strict=True), before + 1)
        # First those that react to others: what they start is what a person waits for, such as a call.
        for self.ended, (waiting, outcome) in sorted(places, key=_reacts_to_none):
            if outcome.error is not None and self._holds(waiting, outcome):
                self._held.append(waiting)
                self._obstacle = outcome.error
            else:
                waiting.tell(outcome)
        self.ended = before + len(batch)
        if self._gate is not None and (is_retry or self._held or self._retried or self._gate.is_unproven):
            self._note_end(self._gate, batch, outcomes)
        self._next_batch(loop)
        given: set[Signal] = {signal for outcome in outcomes for signal in outcome.signals}
        for signal in given:
            self._announce(signal)

    def _holds(self, waiting: _Waiting, outcome: Outcome) -> bool:
        """Return whether a unit with an error waits for the disk instead of having failed."""
        if self._gate is None or not waiting.patient or waiting.future.done() or not is_passing(outcome.error):
            return False
        # A query that tries to write has the error of a read-only disk, at each attempt.
        return self._operation == "write" or getattr(outcome.error, "code", "") != "database_read_only"

    async def aclose(self) -> None:
        """Run the queued jobs, close the connection, end the thread. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._gate = None
        rest = [waiting for waiting in (*self._held, *self._waiting) if not waiting.future.done()]
        self._held, self._waiting = [], []
        loop = asyncio.get_running_loop()
        if rest:
            self._executor.submit(self._work, loop, rest)
        closing = self._executor.submit(self._close)
        # wait=False: the thread ends by itself after its last job, even if this call is cancelled.
        self._executor.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(closing))

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _reacts_to_none(place: tuple[int, tuple[_Waiting, Outcome]]) -> bool:
    return place[1][0].job.answers is None
