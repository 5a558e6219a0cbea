"""State of the disk under a database, and the units of work that wait until it can be used again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from tgllm.api.errors import DatabaseError

__all__ = ["Obstacle", "StorageGate", "StorageState", "is_passing"]

StorageState = Literal["ok", "full", "read_only", "locked", "unreachable", "broken"]

_STATES: Final[dict[str, StorageState]] = {
    "database_full": "full",
    "database_read_only": "read_only",
    "database_locked": "locked",
    "database_unreachable": "unreachable",
    "database_away": "unreachable",
    "database_disk": "broken",
}
"""By the code of an error that passes without a change of the file: by freed space, a mount, the end of a lock."""


def is_passing(error: BaseException | None) -> bool:
    """Return whether an error is one of the disk that may pass while the program runs; damage does not."""
    return isinstance(error, DatabaseError) and error.code in _STATES


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps the database from being used."""

    state: StorageState
    code: str
    """Code of the error."""
    words: str
    """For the log: what is wrong and what to do, with paths."""
    since: float
    """When it began, by the monotonic clock."""


Listener = Callable[[Obstacle], None]


class StorageGate:
    """Whether what is to be stored can be stored; open until a unit of work has to wait for the disk.

    It closes with the first unit that waits and opens when none is left. If their callers were all cancelled, it opens
    too, but the obstacle counts as over only after the connection's next success. Used on the event loop.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Create an open gate; ``monotonic`` tells the time."""
        self._monotonic = monotonic
        self._waiting: dict[str, int] = {}
        self._obstacle: Obstacle | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._closed = asyncio.Event()
        self._listeners: list[tuple[Listener, Listener]] = []
        self._unproven: dict[str, Obstacle] = {}
        self.closings = 0
        """How often it has closed."""
        self.is_given_up = False
        """Whether nothing waits for the disk any more, because the program ends."""

    @property
    def obstacle(self) -> Obstacle | None:
        """What keeps the database from being used; None if nothing does."""
        return self._obstacle

    @property
    def is_unproven(self) -> bool:
        """Whether the gate has opened without a success, because all callers that waited were cancelled."""
        return bool(self._unproven)

    @property
    def state(self) -> StorageState:
        """The state of the disk in one word."""
        return "ok" if self._obstacle is None else self._obstacle.state

    def seconds_closed(self) -> float:
        """Return how long it has been closed."""
        return 0.0 if self._obstacle is None else max(0.0, self._monotonic() - self._obstacle.since)

    async def wait_open(self) -> None:
        """Wait until everything that has waited is stored."""
        await self._open.wait()

    async def wait_closed(self) -> Obstacle:
        """Wait until something has to wait for the disk, and return why."""
        while self._obstacle is None:
            await self._closed.wait()
        return self._obstacle

    def listen(self, closed: Listener, opened: Listener) -> None:
        """Have one function called with each obstacle, and another one when it is over; they must return at once."""
        self._listeners.append((closed, opened))

    def note(self, connection: str, waiting: int, error: BaseException | None = None) -> None:
        """Note how many units of a connection wait, and the error for which they do."""
        self._waiting[connection] = waiting
        if isinstance(error, DatabaseError):
            self._close(error)

    def note_success(self, connection: str) -> None:
        """Note that a unit of a connection was stored, and that none of it waits."""
        over = self._unproven.pop(connection, None) or self._none_waits(connection)
        if over is not None:
            for _, opened in self._listeners:
                opened(over)

    def note_cancelled(self, connection: str) -> None:
        """Note that none of a connection waits, although none was stored: their callers were cancelled."""
        if (unproven := self._none_waits(connection)) is not None:
            self._unproven[connection] = unproven

    def _none_waits(self, connection: str) -> Obstacle | None:
        """Open the gate if nothing else waits, and return what has kept it closed."""
        self._waiting[connection] = 0
        return None if any(self._waiting.values()) else self._opened()

    def give_up(self) -> None:
        """Let those go on who wait for the gate, although the disk may not be usable yet: the program ends.

        The listeners are not called.
        """
        self.is_given_up = True
        self._unproven.clear()
        self._opened()

    def _opened(self) -> Obstacle | None:
        """Open the gate, and return what kept it closed."""
        over, self._obstacle = self._obstacle, None
        self._closed.clear()
        self._open.set()
        return over

    def _close(self, error: DatabaseError) -> None:
        before = self._obstacle
        if before is not None and before.code == error.code:
            return
        self._unproven.clear()
        since = self._monotonic() if before is None else before.since
        self.closings += before is None
        self._obstacle = Obstacle(_STATES.get(error.code, "broken"), error.code, str(error), since)
        self._open.clear()
        self._closed.set()
        for closed, _ in self._listeners:
            closed(self._obstacle)
