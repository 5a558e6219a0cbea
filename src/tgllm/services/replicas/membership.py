"""Membership of this process among the replicas of a bot: its lease, and whether it leads."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Final, NoReturn, Self, TypeVar

from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, SystemClock
from tgllm.config.sections.replicas import ReplicasSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.postgres.errors import ReplicaLost
from tgllm.db.postgres.heart import Heart
from tgllm.db.postgres.store import ServerStore
from tgllm.db.tables.shared import replicas
from tgllm.db.tables.shared.replicas import View
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import LEADER, REPLICAS
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.replicas.lease import Lease
from tgllm.services.replicas.uptime import uptime

__all__ = ["Membership", "TakeOver"]

log = get_logger(__name__)

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0
"""Longest time between two looks at the other replicas: so soon the end of the leader is noticed."""

TakeOver = Callable[[Collection[int]], Awaitable[None]]
"""Removes processes whose lease has ended, and recovers their work."""

# The states of a replica, in their order: why each exists, and what a crash in it costs.
#
# joined    Its row is there before it claims anything, so that each claimed update has a holder. A crash costs the
#           length of a lease: then another replica removes the row and queues the holder's updates again.
# leading   The row ``leader`` of ``leases`` has its number. Nothing but the end of its own row ends that, so a leader
#           never has to find out that it leads no more while it may still store. A crash costs the same: the removal
#           of the row frees the lead.
# unsure    In memory only: no sign of life was taken for nearly the length of a lease, such as after the process was
#           stopped, or while the server is away. Others may have taken over, so no call to Telegram begins. The next
#           sign of life ends the state in one way or the other.
# draining  It claims nothing and does not lead again, while its turns end. A crash costs the same as when joined.
# left      Its row is removed when nothing of it is left to recover. If it ends with an error its lease ends at once
#           instead, and others recover its work without waiting for the end of the lease.
# lost      Others have removed its row. Whatever it still does is not stored (``Member.sign``). The program ends, and
#           its supervisor starts it as another replica.


class Membership:
    """One replica. The lease is extended as long as the event loop runs, however busy the database's writer is."""

    def __init__(self, database: Database, settings: ReplicasSection, *, clock: Clock | None = None) -> None:
        """Create it; ``joined`` makes it a replica.

        Args:
            database: on a server.
            settings: of the replicas.
            clock: for pauses; the system clock by default, since leases end by the clock of the database.
        """
        self._database = database
        store = database.store
        assert isinstance(store, ServerStore)  # noqa: S101  only such a database has replicas
        self._heart = Heart(store)
        self._settings = settings
        self._clock = clock or SystemClock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tgllm-heart")
        self._lease = Lease(settings.lease, uptime)
        self._beat_at = float("-inf")
        self._look = Wakeup()
        self._changed = asyncio.Condition()
        self._view = View(None, 0, 1)
        self._is_draining = False
        self._has_left = False
        self.take_over: TakeOver | None = None
        """Set once the replica can recover the work of others."""
        self.id = self._heart.member.id
        """Its number, which no other process ever has."""
        self.name = settings.name or f"{socket.gethostname()}-{os.getpid()}"
        self.is_leader = False
        """Whether it does what only one replica may do."""
        self.fence = 0
        """How often the leader had changed when it became the leader."""
        database.on_commit("leader", self._look.set)

    @property
    def live(self) -> int:
        """Number of replicas whose lease is valid, this one included."""
        return max(1, self._view.live)

    def is_valid(self) -> bool:
        """Return whether no other replica can have taken over the work of this one by now."""
        return self._lease.is_valid()

    async def wait_valid(self) -> None:
        """Wait until that is certain; if the replica is lost, until the task is cancelled."""
        await self._wait_until(self.is_valid)

    async def wait_leader(self) -> None:
        """Wait until this replica leads."""
        await self._wait_until(lambda: self.is_leader)

    async def wait_lost(self) -> NoReturn:
        """Wait until others have given up this replica.

        Raises:
            ReplicaLost: they have.
        """
        await self._wait_until(lambda: self._lease.is_lost)
        raise ReplicaLost(
            f"The replica {self.name} has given no sign of life for {self._settings.lease:.0f} s, so that others have "
            "taken over its work. Nothing is lost; start it again.",
            replica=self.id,
        )

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[Self]:
        """Be a replica within the block.

        Raises:
            DatabaseError: the server can't be used.
        """
        await self._join()
        beating = asyncio.create_task(self._run(), name="signs of life of the replica")
        try:
            yield self
        finally:
            beating.cancel()
            await asyncio.wait({beating})
            await self._end()

    async def lead_if_free(self) -> bool:
        """Become the leader if there is none; return whether this replica leads.

        Raises:
            DatabaseError: the database can't be used.
        """
        if self.is_leader or self._is_draining:
            return self.is_leader
        until = self._view_until()
        # By the writer: its transaction keeps the row of this replica locked, so it is not removed meanwhile.
        fence = await self._database.claim(lambda conn: replicas.take_lead(conn, self.id, replicas.clock(conn) + until))
        if fence is not None:
            self.is_leader, self.fence = True, fence
            LEADER.replace({(self.name,): 1})
            await self._notify()
        return self.is_leader

    async def overdue(self) -> Collection[int]:
        """Return the processes whose lease has ended, without those that hold their row in an open transaction.

        Raises:
            DatabaseError: the server can't be used.
        """
        view = await self._patiently(lambda: self._heart.run(lambda conn: replicas.view(conn, replicas.clock(conn))))
        return await self._removable(view)

    async def drain(self) -> None:
        """Lead no more from now on, unless this replica leads already, and show that it ends."""
        self._is_draining = True
        with suppress(DatabaseError):
            await self._in_thread(lambda: self._heart.run(lambda conn: replicas.drain(conn, self.id)))

    async def release_lead(self) -> None:
        """Let another replica lead, which begins within a second.

        Raises:
            DatabaseError: the database can't be used.
        """
        if self.is_leader:
            await self._database.write(lambda conn: replicas.release_lead(conn, self.id))
            self.is_leader = False
            LEADER.replace({(self.name,): 0})
            log.info("leader.ended", replica=self.name, fence=self.fence)

    def leave(self) -> None:
        """Note that nothing is left to recover, so that the row can be removed at the end."""
        self._has_left = True

    async def _join(self) -> None:
        def add(conn: Connection) -> None:
            now = replicas.clock(conn)
            replicas.join(conn, self.id, self.name, now, now + self._view_until())

        sent_at = float("-inf")

        def join() -> None:
            nonlocal sent_at
            sent_at = self._lease.uptime()
            self._heart.run(add)

        await self._patiently(join)
        self._heart.member.is_fenced = True
        self._beat_at = sent_at
        self._lease.extended(sent_at)
        LEADER.replace({(self.name,): 0})
        log.info("replica.joined", replica=self.name, number=self.id)

    def _view_until(self) -> int:
        return int(self._settings.lease * 1000)

    async def _run(self) -> None:
        """Extend the lease and look at the others, until cancelled or lost."""
        pause = min(LOOK_SECONDS, self._settings.heartbeat / 2)
        is_away = False
        while not self._lease.is_lost:
            try:
                await self._step()
                is_away = False
            except ReplicaLost:
                await self._lose()
            except DatabaseError as error:
                if not is_away:
                    log.warning("replica.no_sign", replica=self.name, code=error.code, reason=str(error))
                is_away = True
            await self._look.wait_for(pause, self._clock)

    async def _step(self) -> None:
        sent_at = self._lease.uptime()
        is_due = sent_at >= self._beat_at + self._settings.heartbeat or not self._lease.is_valid()
        view = await self._in_thread(lambda: self._heart.run(lambda conn: self._beat_and_look(conn, beats=is_due)))
        if view is None:
            await self._lose()
            return
        if is_due:
            was_valid = self._lease.is_valid()
            self._beat_at = sent_at
            self._lease.extended(sent_at)
            if not was_valid:
                await self._notify()
        self._view = view
        REPLICAS.set(self.live)
        if view.overdue and self.take_over is not None and (ids := await self._removable(view)):
            await self.take_over(ids)
            view = View(None if view.leader in ids else view.leader, view.fence, view.live)
        if view.leader is None and self.take_over is not None:
            await self.lead_if_free()

    def _beat_and_look(self, conn: Connection, *, beats: bool) -> View | None:
        """Return what there is of the others; None if this replica was given up."""
        now = replicas.clock(conn)
        if beats and not replicas.beat(conn, self.id, now + self._view_until()):
            return None
        return replicas.view(conn, now)

    async def _removable(self, view: View) -> Collection[int]:
        late = [number for number in view.overdue if number != self.id]
        return await self._in_thread(lambda: self._heart.unlocked(late)) if late else ()

    async def _lose(self) -> None:
        self._lease.is_lost = True
        self.is_leader = False
        LEADER.replace({(self.name,): 0})
        log.error("replica.given_up", replica=self.name, number=self.id, lease_seconds=self._settings.lease)
        await self._notify()

    async def _wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for a state. It is checked under the lock, so that no notification comes between check and wait."""
        async with self._changed:
            await self._changed.wait_for(is_so)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _end(self) -> None:
        """Remove the row, or end the lease at once if something may be left to recover."""

        def end(conn: Connection) -> None:
            if self._has_left:
                replicas.leave(conn, self.id)
            else:
                replicas.expire(conn, self.id)

        with suppress(DatabaseError):
            if not self._lease.is_lost:
                await self._in_thread(lambda: self._heart.together(end))
        if self.is_leader:
            log.info("leader.ended", replica=self.name, fence=self.fence)
        await self._in_thread(self._heart.close)
        self._thread.shutdown(wait=False)
        # What is written from now on, such as by plugins that close, is the work of no replica.
        self._heart.member.is_fenced = not self._has_left

    async def _patiently(self, work: Callable[[], T]) -> T:
        """Do it as soon as the server is there: a supervisor would give up a bot that ends at each start."""
        while True:
            try:
                return await self._in_thread(work)
            except DatabaseError as error:
                if error.code != "database_away":
                    raise
                log.warning("replica.no_sign", replica=self.name, code=error.code, reason=str(error))
            await self._clock.sleep(LOOK_SECONDS)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # The thread may wait for a lock, and what it does next must not wait with it.
            await asyncio.to_thread(self._heart.interrupt)
            with suppress(Exception):
                await future
            raise
