"""Updates that Telegram may deliver again."""

from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

__all__ = ["PUSHED_SECONDS", "Unconfirmed"]

PUSHED_SECONDS: Final = 3600.0
"""How long an update that was sent to the webhook may be sent again: Telegram tries every two minutes at the least."""


class Unconfirmed:
    """The updates of the latest batch, which the next request confirms (Bot API: getUpdates).

    At startup nothing is known, since an earlier run may have ended before it confirmed its last batch. Telegram
    delivers the oldest updates first, so that batch is over with the first one that is empty or has a new update.
    """

    def __init__(self) -> None:
        self._ids: Collection[int] | None = None
        self._pushed: deque[tuple[float, int]] = deque()
        self._pushed_since: float | None = None
        self._pushed_until = 0.0
        """Monotonic times of the first and the latest call of ``note_pushed``."""

    @property
    def ids(self) -> Collection[int] | None:
        """Ids of updates that may be delivered again; None while unknown."""
        if self._pushed_since is None:
            return self._ids
        is_known = self._pushed_until - self._pushed_since >= PUSHED_SECONDS
        return frozenset(each for _, each in self._pushed) if is_known else None

    def note(self, ids: Iterable[int], *, any_new: bool) -> None:
        """Record a batch that is stored; all updates before it are confirmed.

        Args:
            ids: ids of its updates.
            any_new: whether any of them was not stored before.
        """
        latest = frozenset(ids)
        if self._ids is not None or any_new or not latest:
            self._ids = latest

    def note_pushed(self, ids: Iterable[int], now: float) -> None:
        """Record updates that the webhook has taken, possibly none: Telegram sends those again whose answer is lost.

        Args:
            ids: ids of the updates.
            now: monotonic time in seconds; until an hour after the first call, nothing is known.
        """
        if self._pushed_since is None:
            self._pushed_since = now
        self._pushed.extend((now, each) for each in ids)
        while self._pushed and now - self._pushed[0][0] >= PUSHED_SECONDS:
            self._pushed.popleft()
        self._pushed_until = now
