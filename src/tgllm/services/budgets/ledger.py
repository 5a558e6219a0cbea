"""What turns under way have reserved of budgets, and what those that ended have used meanwhile; in memory."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

from tgllm.services.budgets.budget import BudgetKey

__all__ = ["Amounts", "Ledger", "Watch"]

Amounts: TypeAlias = Mapping[BudgetKey, int]


class Watch:
    """Begun before sums are read: collects what turns have used that ended since then."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._used: Counter[BudgetKey] = Counter()

    def add(self, used: Amounts) -> None:
        """A turn has ended, and its usage is stored."""
        self._used.update(used)

    def used(self, key: BudgetKey) -> int:
        """What has been used of a budget; the sums that were read may or may not contain it."""
        return self._used[key]


class Ledger:
    """Shared by all turns of the program."""

    def __init__(self) -> None:
        """Begin with no turn."""
        self._reserved: Counter[BudgetKey] = Counter()
        self._watches: set[Watch] = set()
        self._changed = asyncio.Event()

    def watch(self) -> Watch:
        """Begin a watch; ``unwatch`` ends it."""
        watch = Watch()
        self._watches.add(watch)
        return watch

    def unwatch(self, watch: Watch) -> None:
        """End a watch."""
        self._watches.discard(watch)

    def reserved(self, key: BudgetKey) -> int:
        """What turns under way may need of a budget; 0 if there is none."""
        return self._reserved[key]

    def reserve(self, needs: Amounts) -> None:
        """A turn begins."""
        self._reserved.update(needs)

    def release(self, needs: Amounts, used: Amounts) -> None:
        """A turn has ended that had reserved ``needs``; what it has ``used`` is stored."""
        self._reserved -= Counter(needs)
        for watch in self._watches:
            watch.add(used)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait(self) -> None:
        """Wait until a turn ends."""
        await self._changed.wait()
