"""Running turns, and handles to stop them."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["SLACK", "RunningTurn", "RunningTurns"]

StopCause = Literal["person", "shutdown"]

SLACK = 1.1
"""Factor by which a deadline is set too late, so that not every event of a stream has to move it."""


@dataclass(slots=True, eq=False)
class RunningTurn:
    """A running turn, with a handle to stop it.

    Stopping moves the deadline of the wait in ``interruptible`` to now, so that it ends with ``TimeoutError`` like an
    idle timeout; ``cause`` tells the two apart. Cancelling the task would also stop the storage of the answer.
    """

    id: str
    lane: str
    user_id: int
    """Who asked for the answer, and pays for it."""
    question: str = field(default="", repr=False)
    """As the model reads it."""
    message_ids: tuple[int, ...] = ()
    """Telegram's ids of the messages that hold it."""
    author_id: int | None = None
    """Who said the question; None: ``user_id``."""
    user_name: str = ""
    """Of who asked for the answer."""
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
    def track(
        self,
        turn_id: str,
        lane: str,
        user_id: int,
        question: str = "",
        message_ids: tuple[int, ...] = (),
        author_id: int | None = None,
        user_name: str = "",
    ) -> Generator[RunningTurn]:
        """Keep a turn in the list while the block runs; see ``RunningTurn``."""
        turn = RunningTurn(turn_id, lane, user_id, question, message_ids, author_id, user_name)
        self._by_lane[lane] = turn
        if self._unwanted.pop(lane, None) == turn_id:
            turn.stop("person")
        self._idle.clear()
        try:
            yield turn
        finally:
            if self._by_lane.get(lane) is turn:
                del self._by_lane[lane]
            if not self._by_lane:
                self._idle.set()

    def in_lane(self, lane: str) -> RunningTurn | None:
        """Return the running turn of a lane."""
        return self._by_lane.get(lane)

    def stop(self, lane: str) -> bool:
        """Stop the turn of a lane on behalf of a person; return False if there is none."""
        turn = self._by_lane.get(lane)
        if turn is None:
            return False
        turn.stop("person")
        return True

    def stop_turn(self, lane: str, turn_id: str) -> None:
        """Stop a certain turn on behalf of a person; if it does not run yet, when it starts."""
        turn = self._by_lane.get(lane)
        if turn is not None and turn.id == turn_id:
            turn.stop("person")
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
        turns = [turn for turn in self._by_lane.values() if turn.user_id == user_id]
        for turn in turns:
            turn.stop("person")
        return len(turns)

    @property
    def turns(self) -> Sequence[RunningTurn]:
        """The running turns."""
        return list(self._by_lane.values())

    def stop_all(self) -> None:
        """Stop all turns for the shutdown."""
        for turn in list(self._by_lane.values()):
            turn.stop("shutdown")

    async def wait_idle(self) -> None:
        """Wait until no turn is running."""
        await self._idle.wait()

    def __len__(self) -> int:
        return len(self._by_lane)
