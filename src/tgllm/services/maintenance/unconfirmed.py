"""Which updates Telegram may hand over once more."""

from collections.abc import Collection, Iterable

__all__ = ["Unconfirmed"]


class Unconfirmed:
    """The updates of the latest batch: the next one is what tells that they are confirmed (Bot API: getUpdates).

    Nothing is known at the start, since an earlier run may have ended before its latest batch was confirmed. Telegram
    hands over the oldest updates first: all of that batch has come once one comes that is not stored yet, or none.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self._ids: Collection[int] | None = None

    @property
    def ids(self) -> Collection[int] | None:
        """The ids of updates that may come again; None while any may."""
        return self._ids

    def note(self, ids: Iterable[int], *, any_new: bool) -> None:
        """Telegram has handed over a batch, which is stored by now: all before it is confirmed.

        Args:
            ids: of the updates in it.
            any_new: whether it has any that were not stored before.
        """
        latest = frozenset(ids)
        if self._ids is not None or any_new or not latest:
            self._ids = latest
