"""Random schedules of several replicas over the real functions of leases, claims and recovery.

The clock, the order of what happens and all failures come from a seeded generator, so that a run can be repeated. Each
transaction is a step of its own: what PostgreSQL does with transactions at the same time is tested elsewhere.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal, TypeVar

import pytest

from tgllm.db.queries.shared import claims, inbox_recovery
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.shared import replicas
from tgllm.services.replicas.lease import Lease

T = TypeVar("T")

RUNS = int(os.environ.get("TGLLM_SIMULATIONS", "400"))
STEPS = 60
LANES = ("1:1:0", "1:2:0")
LEASE = 30_000
PLACES = claims.Places(lanes=2, strangers=0, in_chat=None)
ENDLESS = 10**6
"""Attempts: no update is given up, however often its replicas crash."""

Fault = Literal["none", "no fence", "sends without a lease", "two leaders"]


class Violation(AssertionError):
    """What must never happen has happened."""


class Lost(Exception):
    """The replica has no row any more."""


class _Connection:
    """SQLite, with the statements of PostgreSQL that lock rows: there is nothing to lock in a step of its own."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    @property
    def in_transaction(self) -> bool:
        return True

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if isinstance(parameters, dict) and parameters.get("limit", 0) is None:
            parameters = {**parameters, "limit": -1}
        return self._conn.execute(sql.partition(" FOR UPDATE OF ")[0], parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        return self._conn.executemany(sql, parameters)


@dataclass(eq=False)
class Process:
    """A replica: what it knows of itself, which may be out of date."""

    number: int
    lease: Lease
    runs: dict[int, str] = field(default_factory=dict[int, str])
    """Lane of each update that it works on."""
    leads: bool = False
    is_paused: bool = False


class World:
    """The database, its clock, and the processes."""

    def __init__(self, conn: sqlite3.Connection, seed: int, fault: Fault) -> None:
        self.conn = _Connection(conn)
        self.chance = random.Random(seed)
        self.fault = fault
        self.now = 1_000_000
        self.processes: list[Process] = []
        self.lane_of: dict[int, str] = {}
        self.finished: list[int] = []
        self.fences: list[int] = []
        self._numbers = iter(range(1, 10_000))
        for _ in range(3):
            self.join()

    # What replicas do.

    def join(self) -> None:
        # The clocks of machines differ by less than the margin of the lease.
        rate = self.chance.uniform(0.96, 1.04)
        process = Process(next(self._numbers), Lease(LEASE / 1000, lambda: self.now / 1000 * rate))
        sent_at = process.lease.uptime()
        replicas.join(self.conn, process.number, "x", self.now, self.now + LEASE)
        process.lease.extended(sent_at)
        self.processes.append(process)

    def write(self, process: Process, unit: Callable[[Any], T]) -> T:
        """Run a write transaction, which begins as ``Member.sign`` does."""
        signed = self.conn.execute("UPDATE replicas SET commits = commits + 1 WHERE id = ?", (process.number,))
        if not signed.rowcount and self.fault != "no fence":
            raise Lost
        return unit(self.conn)

    def receive(self, process: Process) -> None:
        update_id, lane = len(self.lane_of) + 1, self.chance.choice(LANES)
        new = NewUpdate(update_id, lane, "message", control=False, payload="{}")
        self.write(process, lambda conn: inbox.add_updates(conn, [new], self.now))
        self.lane_of[update_id] = lane

    def claim(self, process: Process) -> None:
        def unit(conn: Any) -> list[inbox.InboxRow]:
            started = claims.claim(conn, process.number, PLACES, self.now, max_attempts=ENDLESS)
            if not started:
                one = (
                    claims.claim_suspect(conn, process.number, row.update_id, self.now) for row in claims.suspects(conn)
                )
                started = [row for row in one if row is not None]
            return started

        for row in self.write(process, unit):
            process.runs[row.update_id] = row.lane

    def finish(self, process: Process) -> None:
        if process.runs:
            update_id = self.chance.choice([*process.runs])
            if self.write(process, lambda conn: inbox.finish(conn, update_id, "done", self.now)):
                self.finished.append(update_id)
            del process.runs[update_id]

    def beat(self, process: Process) -> None:
        sent_at = process.lease.uptime()
        self.now += self.chance.randrange(2000)
        if not replicas.beat(self.conn, process.number, self.now + LEASE):
            raise Lost
        process.lease.extended(sent_at)

    def look(self, process: Process) -> None:
        """Take over from others, and lead if none does."""
        for number in replicas.view(self.conn, self.now).overdue:
            if number != process.number:
                self.write(process, lambda conn, number=number: self._take_over(conn, number))
        view = replicas.view(self.conn, self.now)
        if view.leader is None or self.fault == "two leaders":
            fence = self.write(process, lambda conn: self._lead(conn, process))
            if fence is not None and not process.leads:
                process.leads = True
                self.fences.append(fence)

    def _take_over(self, conn: Any, number: int) -> None:
        if replicas.remove(conn, number, self.now) is not None:
            inbox_recovery.recover(conn, self.now, max_attempts=ENDLESS, waiting=False)

    def _lead(self, conn: Any, process: Process) -> int | None:
        if self.fault == "two leaders":
            conn.execute("UPDATE leases SET holder = NULL")
        return replicas.take_lead(conn, process.number, self.now + LEASE)

    def send(self, process: Process) -> None:
        """Call Telegram as the leader."""
        if not process.leads or not (process.lease.is_valid() or self.fault == "sends without a lease"):
            return
        if replicas.leader(self.conn) != process.number:
            raise Violation(f"{process.number} sends, and {replicas.leader(self.conn)} leads")

    def leave(self, process: Process) -> None:
        """End in order: what runs is put back, and the row is removed."""

        def unit(conn: Any) -> None:
            inbox_recovery.recover(
                conn, self.now, max_attempts=ENDLESS, crashed=False, waiting=False, leaving=process.number
            )
            replicas.leave(conn, process.number)

        self.write(process, unit)
        self.processes.remove(process)

    # What happens to them.

    def step(self) -> None:
        self.now += self.chance.choice((0, 0, 10, 1000, 5000, 12_000))
        while len(self.processes) < 2:
            self.join()
        process = self.chance.choice(self.processes)
        event = self.chance.random()
        if event < 0.06:
            process.is_paused = not process.is_paused
        elif event < 0.09:
            self.processes.remove(process)
        elif event < 0.14:
            self.join()
        elif not process.is_paused:
            does = (self.beat, self.beat, self.look, self.claim, self.claim, self.finish, self.finish, self.send)
            rare = (self.leave,) if len(self.processes) > 2 and self.chance.random() < 0.05 else ()
            self.run(process, self.chance.choice(rare or (*does, self.receive)))
        self.check()

    def run(self, process: Process, act: Callable[[Process], None]) -> None:
        try:
            act(process)
        except Lost:
            process.lease.is_lost = True
            if process in self.processes:
                self.processes.remove(process)

    def check(self) -> None:
        there = {row[0] for row in self.conn.execute("SELECT id FROM replicas")}
        for lane in LANES:
            at_work = [each for each in self.processes if each.number in there and lane in each.runs.values()]
            if len(at_work) > 1:
                raise Violation(f"two work on {lane}")
        for each in self.processes:
            if each.lease.is_valid() and each.number not in there:
                raise Violation(f"{each.number} trusts a lease that is over")

    def end(self) -> None:
        """Let one replica finish everything after all others have crashed, and check what was done."""
        self.processes.clear()
        self.now += LEASE + 1
        self.join()
        last = self.processes[0]
        self.look(last)
        while True:
            self.claim(last)
            if not last.runs:
                break
            while last.runs:
                self.finish(last)
        if sorted(self.finished) != sorted(self.lane_of):
            raise Violation("an update is lost or was done twice")
        for lane in LANES:
            done = [each for each in self.finished if self.lane_of[each] == lane]
            if done != sorted(done):
                raise Violation(f"out of order in {lane}")
        if self.fences != sorted(set(self.fences)):
            raise Violation("the fence has not grown")


@pytest.fixture(scope="module")
def base() -> Iterator[sqlite3.Connection]:
    """A database in memory with the schema."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        memory.row_factory = sqlite3.Row
        memory.executescript((files("tgllm.db") / "models.sql").read_text(encoding="utf-8"))
        yield memory


def run(conn: sqlite3.Connection, seed: int, fault: Fault) -> World:
    for table in ("replicas", "leases", "inbox"):
        conn.execute(f"DELETE FROM {table}")
    world = World(conn, seed, fault)
    for _ in range(STEPS):
        world.step()
    world.end()
    return world


@pytest.mark.parametrize("part", range(2))
def test_no_schedule_breaks_a_promise(base: sqlite3.Connection, part: int) -> None:
    worlds = [run(base, seed, "none") for seed in range(part * RUNS // 2, (part + 1) * RUNS // 2)]

    # What the promises are about has happened.
    assert sum(len(world.finished) for world in worlds) > RUNS
    assert sum(len(world.fences) for world in worlds) > RUNS


@pytest.mark.parametrize("fault", ["no fence", "sends without a lease", "two leaders"])
def test_a_planted_fault_is_found(base: sqlite3.Connection, fault: Fault) -> None:
    def search() -> None:
        for seed in range(RUNS):
            run(base, seed, fault)

    with pytest.raises(Violation):
        search()
