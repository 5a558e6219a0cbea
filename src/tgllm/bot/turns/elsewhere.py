"""Turns that another replica runs: what is found out about them here is ordered there.

A stop of the turn, and an edit of its question, are rows for the replica that runs it (``turn_orders``). It is woken by
a signal, and looks once a second in any case, since signals may be lost.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.db.tables.shared import turn_orders
from tgllm.db.tables.shared.turn_orders import TurnOrder
from tgllm.services.common.turn_ids import turn_id_of
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.turns.running import RunningTurns

__all__ = ["Orders", "StopSuperseded", "order_looks", "order_stop", "running_elsewhere"]

_MOST_LOOKED_AT = 50
"""Most waiting updates of a lane that are searched for edits."""

StopSuperseded = Callable[[Sequence[InboxRow], dict[int, str]], None]
"""``stop_superseded`` of this bot."""


def running_elsewhere(conn: Connection, lane: str, holder: int | None) -> InboxRow | None:
    """Return the running update of a lane if another replica runs it.

    Args:
        conn: an open connection.
        lane: the lane.
        holder: number of this replica; None where there is one process only.
    """
    if holder is None:
        return None
    return next((row for row in inbox.running_in(conn, lane) if row.holder not in {None, holder}), None)


def order_looks(conn: Connection, updates: Iterable[NewUpdate], holder: int, now: int) -> None:
    """Have edits looked at where the turns of their lanes run.

    Args:
        conn: the transaction that stores the updates.
        updates: the new updates.
        holder: number of this replica.
        now: UTC in milliseconds.
    """
    for lane in dict.fromkeys(update.lane for update in updates if update.kind == "edited_message"):
        row = running_elsewhere(conn, lane, holder)
        if row is not None and row.holder is not None:
            turn_orders.add(conn, lane, turn_id_of(row.update_id), "outdate", row.holder, now)


def order_stop(conn: Connection, lane: str, update_id: int, holder: int | None, now: int) -> None:
    """Have the turn of an update stopped by the replica that runs it; do nothing if that is this one.

    Args:
        conn: a write transaction.
        lane: the lane of the turn.
        update_id: the update that has started it.
        holder: number of this replica; None where there is one process only.
        now: UTC in milliseconds.
    """
    row = running_elsewhere(conn, lane, holder)
    if row is not None and row.holder is not None and row.update_id == update_id:
        turn_orders.add(conn, lane, turn_id_of(update_id), "stop", row.holder, now)


class Orders:
    """Background task of a replica that carries out what others have ordered."""

    def __init__(
        self,
        database: Database,
        running: RunningTurns,
        stop_without_access: Callable[[], Awaitable[None]],
        stop_edited: StopSuperseded,
    ) -> None:
        """Create the task; ``run`` does the work.

        Args:
            database: on a server.
            running: the turns of this replica.
            stop_without_access: stops its turns of people who have lost access.
            stop_edited: stops its turns whose questions are edited.
        """
        self._database = database
        self._running = running
        self._stop_without_access = stop_without_access
        self._stop_edited = stop_edited
        self._wakeup = Wakeup()
        database.on_commit("orders", self._wakeup.set)

    async def run(self) -> None:
        """Carry out orders until cancelled.

        Raises:
            DatabaseError: the database can't be used.
        """
        while True:
            await self._wakeup.wait()
            await self.look()

    async def look(self) -> None:
        """Carry out what is ordered by now."""
        holder = self._database.member_id
        await self._stop_without_access()
        if holder is None or not await self._database.read(lambda conn: turn_orders.has_any(conn, holder)):
            return
        for order, edits in await self._database.write(lambda conn: _taken(conn, holder)):
            if order.kind == "stop":
                self._running.stop_turn(order.lane, order.turn_id)
            elif edits:
                self._stop_edited(edits, {edit.update_id: order.turn_id for edit in edits})


def _taken(conn: Connection, holder: int) -> list[tuple[TurnOrder, Sequence[InboxRow]]]:
    """Take the orders for a replica, each with the edits that wait in its lane; those for turns that are over go."""
    found: list[tuple[TurnOrder, Sequence[InboxRow]]] = []
    for order in turn_orders.take(conn, holder):
        rows = inbox.running_in(conn, order.lane)
        if any(turn_id_of(row.update_id) == order.turn_id and row.holder == holder for row in rows):
            waiting = inbox.queued(conn, order.lane, _MOST_LOOKED_AT)
            found.append((order, [row for row in waiting if row.kind == "edited_message"]))
    return found
