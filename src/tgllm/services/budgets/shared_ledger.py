"""Reservations of the turns of all replicas, as rows of the database that they share.

A reservation is checked and added in one SERIALIZABLE transaction, and removed in the one that stores the usage of its
turn. So a check of a budget sees either of the two, as in the memory of one process, and all replicas together
let no more turns begin than one process would.
"""

import asyncio
from collections.abc import Mapping
from secrets import token_hex
from typing import Final

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables.shared import reservations
from tgllm.services.budgets.budget import BudgetKey
from tgllm.services.common.wakeup import Wakeup

__all__ = ["SharedLedger"]

_BETWEEN: Final = "|"


class SharedLedger:
    """The reservations of all replicas, as one of them sees and changes them."""

    def __init__(self, database: Database, holder: int, clock: Clock) -> None:
        """Create it.

        Args:
            database: on a server.
            holder: number of this replica.
            clock: source of time.
        """
        self._database = database
        self._holder = holder
        self._clock = clock
        self._released = asyncio.Event()
        self._stale: set[str] = set()
        """Reservations of turns that have ended without a transaction, such as by a cancellation."""
        self._wakeup = Wakeup()
        database.on_commit("budgets", self._wake)

    def new_id(self, turn_id: str) -> str:
        """Return the id of a reservation; a turn may have several, one after another."""
        return f"{turn_id}:{token_hex(4)}"

    def reserved(self, conn: Connection, keys: Mapping[BudgetKey, int]) -> Mapping[BudgetKey, int]:
        """Return the sums of all reservations of some budgets, in a write transaction."""
        if self._stale:
            reservations.release(conn, frozenset(self._stale))
        found = reservations.sums(conn, [_text(key) for key in keys])
        return {key: found.get(_text(key), 0) for key in keys}

    def reserve(self, conn: Connection, reservation_id: str, amounts: Mapping[BudgetKey, int]) -> None:
        """Add a reservation in the transaction that has checked it."""
        by_text = {_text(key): amount for key, amount in amounts.items()}
        reservations.add(conn, reservation_id, by_text, self._holder, milliseconds(self._clock))

    def release(self, reservation_id: str) -> Unit:
        """Return the unit that removes a reservation, for the transaction that stores the usage of its turn."""
        return lambda conn: reservations.release(conn, [reservation_id])

    def release_later(self, reservation_id: str) -> None:
        """Have a reservation removed by ``run``: its turn has ended without a transaction."""
        self._stale.add(reservation_id)
        self._wakeup.set()
        self._wake()

    def next_release(self) -> asyncio.Event:
        """Return what is set when a reservation may have been released, by whichever replica."""
        return self._released

    async def run(self) -> None:
        """Remove reservations of turns that have ended without a transaction, until cancelled.

        Those that are left when the program ends go with the row of this replica.

        Raises:
            DatabaseError: the database can't be written.
        """
        while True:
            await self._wakeup.wait()
            stale = frozenset(self._stale)
            if stale:
                await self._database.write(lambda conn, stale=stale: reservations.release(conn, stale), durable=False)
                self._stale -= stale

    def _wake(self) -> None:
        # Each waiting turn holds the old event, so a release wakes all of them once.
        released, self._released = self._released, asyncio.Event()
        released.set()


def _text(key: BudgetKey) -> str:
    return _BETWEEN.join(key)
