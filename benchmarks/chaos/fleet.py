"""Several replicas of the program on one database: they are killed, paused and cut off one after another."""

import asyncio
import os
import random
import signal
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from benchmarks.chaos.lives import Kill, Program
from benchmarks.chaos.postgres import Postgres
from benchmarks.chaos.victim import MOMENTS

__all__ = ["Fleet", "free_ports"]

OUTSIDE: Final = ("leader", "leader", "replica", "drain", "pause", "pause leader", "restart", "crash", "cut")
"""What happens from outside. ``leader`` and ``replica`` are killed, ``drain`` ends one in order, ``pause`` stops one,
often for longer than its lease; ``restart``, ``crash`` and ``cut`` are of the database server."""
OF_SERVER: Final = frozenset({"restart", "crash", "cut"})


@dataclass(slots=True)
class _Replica:
    """A place for a process."""

    program: Program
    process: asyncio.subprocess.Process | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.returncode is None


class Fleet:
    """The replicas, all of which run; one that has ended is started again, as a supervisor does."""

    def __init__(self, programs: Sequence[Program], server: Postgres, dice: random.Random, *, lease: float) -> None:
        """Create the fleet.

        Args:
            programs: one of each replica.
            server: of the database.
            dice: chooses.
            lease: seconds after which a replica that gives no sign of life is given up.
        """
        self._replicas = [_Replica(program) for program in programs]
        self._server = server
        self._dice = dice
        self._lease = lease
        self._supervising: asyncio.Task[None] | None = None
        self.restarts = 0
        """Replicas that were started again."""
        self.exits: list[int] = []
        """Exit codes of replicas that have ended by themselves."""

    async def live(self, kill: Kill) -> str:
        """Let all run for a while, and then let something happen; return what."""
        await self._start_missing(kill)
        with suppress(TimeoutError):
            async with asyncio.timeout(kill.seconds):
                await self._until_one_has_ended()
                return await self._note_end(kill.moment)
        if kill.moment in MOMENTS:
            # It did not come.
            return await self._happen("replica")
        return await self._happen(self._dice.choice(OUTSIDE))

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Fleet"]:
        """Run all without kills, with a supervisor; at the end of the block they are killed if they still run."""
        await self._start_missing(Kill(""))
        self._supervising = asyncio.create_task(self._supervise())
        try:
            yield self
        finally:
            await self._leave_alone()
            for replica in self._replicas:
                await self._end(replica, signal.SIGKILL)

    async def stop(self) -> int | None:
        """End all in order, one after another; return the highest exit code."""
        await self._leave_alone()
        codes = [await self._end(replica, signal.SIGTERM) for replica in self._replicas if replica.is_alive]
        return max((code for code in codes if code is not None), default=None)

    async def _leave_alone(self) -> None:
        """Start no replica again from now on."""
        if self._supervising is not None:
            self._supervising.cancel()
            await asyncio.wait({self._supervising})

    async def _supervise(self) -> None:
        while True:
            await self._until_one_has_ended()
            await self._start_missing(Kill(""))

    async def _until_one_has_ended(self) -> None:
        ends = [asyncio.create_task(each.process.wait()) for each in self._replicas if each.process is not None]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _note_end(self, moment: str) -> str:
        for replica in self._replicas:
            if replica.process is not None and replica.process.returncode is not None:
                if replica.process.returncode != -signal.SIGKILL:
                    self.exits.append(replica.process.returncode)
                    moment = "by itself"
                await self._end(replica, signal.SIGKILL)
        return moment

    async def _start_missing(self, kill: Kill) -> None:
        """Start those that have ended; the first of them with the kill from within."""
        for replica in self._replicas:
            if replica.is_alive:
                continue
            await self._end(replica, signal.SIGKILL)
            replica.process = await replica.program.start(kill)
            replica.tasks = [asyncio.create_task(replica.program.follow(replica.process))]
            self.restarts += 1
            kill = Kill("")

    async def _happen(self, what: str) -> str:
        self._replicas[0].program.note(what)
        if what in OF_SERVER:
            await self._trouble_server(what)
            return what
        replica = await self._chosen(leads="leader" in what)
        if what.startswith("pause"):
            process = replica.process
            if process is not None and process.returncode is None:
                os.kill(process.pid, signal.SIGSTOP)
                await asyncio.sleep(self._lease * (0.5 + 1.5 * self._dice.random()))
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)
            return what
        await self._end(replica, signal.SIGTERM if what == "drain" else signal.SIGKILL)
        return what

    async def _trouble_server(self, what: str) -> None:
        if what == "cut":
            await asyncio.to_thread(self._server.cut)
        else:
            await asyncio.to_thread(self._server.restart, crash=what == "crash")

    async def _chosen(self, *, leads: bool) -> _Replica:
        """Return a replica that runs; the leader if it is wanted and known."""
        alive = [each for each in self._replicas if each.is_alive] or self._replicas
        if leads:
            query = "SELECT r.name FROM leases AS l JOIN replicas AS r ON r.id = l.holder WHERE l.name = 'leader'"
            names = {str(row[0]) for row in await asyncio.to_thread(self._server.query, query)}
            for each in alive:
                if each.process is not None and any(str(each.process.pid) in name for name in names):
                    return each
        return self._dice.choice(alive)

    async def _end(self, replica: _Replica, how: signal.Signals) -> int | None:
        process, replica.process = replica.process, None
        if process is None:
            return None
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, how)
        code = await process.wait()
        for task in replica.tasks:
            await task
        return code


def free_ports(count: int) -> Sequence[int]:
    """Return ports that are free now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
