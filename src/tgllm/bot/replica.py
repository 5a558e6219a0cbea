"""This process as one of several replicas of the bot: what it recovers, and what it does only while it leads."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from tgllm.api.clock import milliseconds
from tgllm.bot.intake.recovery import EarlierCalls, earlier_calls, recover_calls, recover_updates
from tgllm.bot.parts import BotParts
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.shared.inbox_recovery import Recovered
from tgllm.db.tables.shared import replicas
from tgllm.db.tables.shared.replicas import ReplicaRow
from tgllm.observe.logs import get_logger
from tgllm.services.access.bot_account import remember_username
from tgllm.services.admin_password.recovery import delete_lost
from tgllm.services.replicas.membership import Membership

__all__ = ["Replica"]

log = get_logger(__name__)

Beside = Callable[[], Coroutine[Any, Any, None]]

# What each replica does: receive updates at the webhook, claim and run them, take orders of the others, and look for
# changes by them. What only the leader does: send the outbox, ask for updates or watch the webhook, run jobs,
# reminders, broadcasts and upkeep, and publish menus. There it matters that they happen once, and that the limits of
# Telegram are kept by one queue.


class Replica:
    """A replica, from its start to its end."""

    def __init__(self, membership: Membership, parts: BotParts) -> None:
        """Create it; ``start`` recovers what others have left."""
        self.membership = membership
        self._parts = parts
        self._core = parts.core
        self._leads = asyncio.Event()

    async def start(self) -> bool:
        """Take over the work of replicas that have ended, and lead if none does.

        Returns:
            Whether no other replica lives.

        Raises:
            DatabaseError: the database can't be used.
        """
        now = milliseconds(self._core.clock)
        parts = self._parts
        await self._core.database.write(lambda conn: remember_username(conn, parts.bot_id, parts.username, now))
        is_alone = await self._recover(await self.membership.overdue(), is_start=True)
        self.membership.take_over = self._take_over
        await self.membership.lead_if_free()
        return is_alone

    async def lead(self) -> None:
        """Begin what only the leader does once this replica leads, and wait until the replica is lost.

        Raises:
            ReplicaLost: others have given up this replica.
            DatabaseError: the database can't be used.
        """
        leading = asyncio.create_task(self._lead(), name="leader")
        try:
            lost = asyncio.create_task(self.membership.wait_lost(), name="end of the replica")
            try:
                done, _ = await asyncio.wait({leading, lost}, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
            finally:
                lost.cancel()
        finally:
            leading.cancel()
            await asyncio.wait({leading})

    def only_leading(self, run: Beside) -> Beside:
        """Return a task that begins once this replica leads."""

        async def run_later() -> None:
            await self._leads.wait()
            await run()

        return run_later

    @property
    def leads(self) -> bool:
        """Whether this replica does what only the leader does."""
        return self._leads.is_set() and self.membership.is_leader

    async def put_back(self) -> None:
        """Queue what this replica runs no longer, at its end in order; then its row can be removed.

        Raises:
            DatabaseError: the database can't be used.
        """
        now, me = milliseconds(self._core.clock), self.membership.id

        def unit(conn: Connection) -> Recovered:
            others = replicas.everyone(conn, replicas.clock(conn), but=[me])
            delete_lost(conn, self._core.texts, now, [row.id for row in others])
            return recover_updates(conn, self._parts, now, crashed=False, leaving=me)

        found = await self._core.database.write(unit)
        self.membership.leave()
        log.info("replica.left", replica=self.membership.name, requeued=found.requeued)

    async def _lead(self) -> None:
        await self.membership.wait_leader()
        now = milliseconds(self._core.clock)

        def unit(conn: Connection) -> EarlierCalls:
            earlier = earlier_calls(conn, now)
            recover_calls(conn, self._parts, now)
            return earlier

        earlier = await self._core.database.write(unit)
        self._parts.limiter.remember(earlier.calls, earlier.busy)
        log.info("leader.began", replica=self.membership.name, fence=self.membership.fence)
        self._leads.set()

    async def _take_over(self, ids: Collection[int]) -> None:
        await self._recover(ids, is_start=False)

    async def _recover(self, ids: Collection[int], *, is_start: bool) -> bool:
        """Remove processes whose lease has ended, and recover the updates of those that are not there any more.

        Returns:
            Whether no other replica lives.
        """
        now, me = milliseconds(self._core.clock), self.membership.id

        def unit(conn: Connection) -> tuple[list[ReplicaRow], Recovered | None, bool]:
            at = replicas.clock(conn)
            removed = [row for number in ids if (row := replicas.remove(conn, number, at)) is not None]
            lost = [row for row in removed if row.kind == "bot"]
            others = [row.id for row in replicas.everyone(conn, at, but=[me])]
            is_alone = not others
            if not lost and not is_start:
                return lost, None, is_alone
            delete_lost(conn, self._core.texts, now, [me, *others])
            found = recover_updates(conn, self._parts, now, crashed=bool(lost), waiting=is_start and is_alone)
            return lost, found, is_alone

        lost, found, is_alone = await self._core.database.write(unit)
        for row in lost:
            log.warning("replica.lost", replica=row.name, number=row.id, requeued=found.requeued if found else 0)
        if is_start and found is not None:
            spent, expired = len(found.spent), len(found.expired)
            log.info("bot.recovered", requeued=found.requeued, spent=spent, expired=expired)
        return is_alone
