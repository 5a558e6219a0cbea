"""Running turns, and handles to stop them."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from tgllm.observe.metrics.table import TURNS_RUNNING
from tgllm.services.conversations.turn import Turn

__all__ = ["SLACK", "RunningTurn", "RunningTurns"]

StopCause = Literal["person", "shutdown", "length"]
"""A person; the shutdown; the limit of an answer."""

SLACK = 1.1
"""Factor by which a deadline is set too late, so that not every event of a stream has to move it."""


@dataclass(slots=True, eq=False)
class RunningTurn:
    """A running turn, with a handle to stop it.

    Stopping moves the deadline of the wait in ``interruptible`` to now, so that it ends with ``TimeoutError`` like an
    idle timeout; ``cause`` tells the two apart. Cancelling the task would also stop the storage of the answer.
    """

    turn: Turn = field(repr=False)
    """The question, who asked it, and where."""
    cause: StopCause | None = None
    """Why the turn was stopped; None if it was not."""
    _deadline: asyncio.Timeout | None = field(default=None, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    """Cached, since the look-up is a system call on CPython 3.11 and each event of a stream needs it."""

    @contextmanager
    def interruptible(self, deadline: asyncio.Timeout) -> Generator[None]:
        """Within this block, ``stop`` expires ``deadline``."""
        self._deadline, self._loop = deadline, asyncio.get_running_loop()
        try:
            if self.cause is not None:
                self._expire()
            yield
        finally:
            self._deadline = self._loop = None

    def stop(self, cause: StopCause) -> None:
        """Make the turn end with the text so far. The first cause is kept."""
        if self.cause is None:
            self.cause = cause
            self._expire()

    def extend(self, seconds: float) -> None:
        """Move the deadline to ``seconds`` from now, or up to a tenth later, unless the turn is stopped."""
        if self.cause is not None or self._deadline is None or self._loop is None:
            return
        now = self._loop.time()
        armed = self._deadline.when()
        if armed is None or not now + seconds <= armed <= now + seconds * SLACK:
            self._move(self._deadline, now + seconds * SLACK)

    def _expire(self) -> None:
        if self._deadline is not None:
            self._move(self._deadline, asyncio.get_running_loop().time())

    def _move(self, deadline: asyncio.Timeout, when: float) -> None:
        # A deadline that has expired can't be moved; the turn ends in any case then.
        if not deadline.expired():
            deadline.reschedule(when)


class RunningTurns:
    """All running turns, at most one for each lane."""

    def __init__(self) -> None:
        self._by_lane: dict[str, RunningTurn] = {}
        self._unwanted: dict[str, str] = {}
        """Turn ids by lane, of turns that were stopped before they started."""
        self._outdated: dict[str, str] = {}
        """Turn ids by lane, of turns whose question was edited before they started."""
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def track(self, turn: Turn) -> Generator[RunningTurn]:
        """Register a turn while the block runs."""
        running = RunningTurn(turn)
        self._by_lane[turn.lane] = running
        if self._unwanted.pop(turn.lane, None) == turn.id:
            running.stop("person")
        self._idle.clear()
        TURNS_RUNNING.set(len(self._by_lane))
        try:
            yield running
        finally:
            if self._by_lane.get(turn.lane) is running:
                del self._by_lane[turn.lane]
            TURNS_RUNNING.set(len(self._by_lane))
            if not self._by_lane:
                self._idle.set()

    def in_lane(self, lane: str) -> RunningTurn | None:
        """Return the running turn of a lane."""
        return self._by_lane.get(lane)

    def stop(self, lane: str) -> bool:
        """Stop the turn of a lane on behalf of a person; return False if there is none."""
        running = self._by_lane.get(lane)
        if running is None:
            return False
        running.stop("person")
        return True

    def stop_turn(self, lane: str, turn_id: str) -> None:
        """Stop a certain turn on behalf of a person; if it does not run yet, when it starts."""
        running = self._by_lane.get(lane)
        if running is not None and running.turn.id == turn_id:
            running.stop("person")
        else:
            self._unwanted[lane] = turn_id

    def outdate(self, lane: str, turn_id: str) -> None:
        """Record that the question of a turn was edited before the turn has started."""
        self._outdated[lane] = turn_id

    def take_outdated(self, lane: str, turn_id: str) -> bool:
        """Whether the question of a starting turn was edited; the record is removed."""
        is_outdated = self._outdated.get(lane) == turn_id
        if is_outdated:
            del self._outdated[lane]
        return is_outdated

    def forget(self, lane: str, turn_id: str) -> None:
        """Remove the records of a turn that will not start."""
        for noted in (self._unwanted, self._outdated):
            if noted.get(lane) == turn_id:
                del noted[lane]

    def stop_user(self, user_id: int) -> int:
        """Stop all turns of a person who has lost access; return their number."""
        theirs = [running for running in self._by_lane.values() if running.turn.user.id == user_id]
        for running in theirs:
            running.stop("person")
        return len(theirs)

    @property
    def turns(self) -> Sequence[RunningTurn]:
        """The running turns."""
        return list(self._by_lane.values())

    def stop_all(self) -> None:
        """Stop all turns for the shutdown."""
        for running in list(self._by_lane.values()):
            running.stop("shutdown")

    async def wait_idle(self) -> None:
        """Wait until no turn is running."""
        await self._idle.wait()

    def __len__(self) -> int:
        return len(self._by_lane)
