"""Reservations of the running turns, and the usage of turns that ended a moment ago."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

from tgllm.services.budgets.budget import BudgetKey

__all__ = ["Amounts", "Ledger", "Watch"]

Amounts: TypeAlias = Mapping[BudgetKey, int]

# The ledger is in memory only. A reservation is valid while its turn runs, and a crash ends all turns: afterwards there
# is nothing to release, and no stale reservation blocks a budget. Usage is in the database, and survives a crash.


class Watch:
    """Usage of the turns that have ended since the watch began."""

    def __init__(self) -> None:
        self._used: Counter[BudgetKey] = Counter()

    def add(self, used: Amounts) -> None:
        """Add the usage of a turn that has ended and is stored."""
        self._used.update(used)

    def used(self, key: BudgetKey) -> int:
        """Return the usage of a budget; sums that were read after the watch began may already include it."""
        return self._used[key]


class Ledger:
    """Sums of the reservations, shared by all turns of the process."""

    def __init__(self) -> None:
        self._reserved: Counter[BudgetKey] = Counter()
        self._watches: set[Watch] = set()
        self._released = asyncio.Event()

    def watch(self) -> Watch:
        """Begin a watch; ``unwatch`` ends it."""
        watch = Watch()
        self._watches.add(watch)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """End a watch."""
        self._watches.discard(watch)

    def reserved(self, key: BudgetKey) -> int:
        """Return the sum of the reservations of a budget."""
        return self._reserved[key]

    def reserve(self, needs: Amounts) -> None:
        """Add a reservation."""
        self._reserved.update(needs)

    def release(self, needs: Amounts, used: Amounts) -> None:
        """Remove the reservation of a turn that has ended, and wake the turns that wait.

        Args:
            needs: the amounts that were reserved.
            used: the usage of the turn, which is stored by now.
        """
        self._reserved -= Counter(needs)
        # A turn that has read its sums before this one was stored would otherwise see neither reservation nor usage.
        for watch in self._watches:
            watch.add(used)
        # Each waiting turn holds the old event, so a release wakes all of them once.
        released, self._released = self._released, asyncio.Event()
        released.set()

    async def wait(self) -> None:
        """Wait until a reservation is released."""
        await self._released.wait()
