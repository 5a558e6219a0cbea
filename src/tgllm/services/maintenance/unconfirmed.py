"""Updates that Telegram may deliver again."""

from collections.abc import Collection, Iterable

__all__ = ["Unconfirmed"]


class Unconfirmed:
    """The updates of the latest batch, which the next request confirms (Bot API: getUpdates).

    At startup nothing is known, since an earlier run may have ended before it confirmed its last batch. Telegram
    delivers the oldest updates first, so that batch is over with the first one that is empty or has a new update.
    """

    def __init__(self) -> None:
        self._ids: Collection[int] | None = None

    @property
    def ids(self) -> Collection[int] | None:
        """Ids of updates that may be delivered again; None while unknown."""
        return self._ids

    def note(self, ids: Iterable[int], *, any_new: bool) -> None:
        """Record a batch that is stored; all updates before it are confirmed.

        Args:
            ids: ids of its updates.
            any_new: whether any of them was not stored before.
        """
        latest = frozenset(ids)
        if self._ids is not None or any_new or not latest:
            self._ids = latest
