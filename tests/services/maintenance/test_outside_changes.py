"""What other programs write is noticed; what this one writes is not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from uuid import uuid4

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.sqlite import connect
from tgllm.db.tables import groups, kv, users
from tgllm.services.access.lost_access import LostAccess
from tgllm.services.maintenance.outside_changes import OutsideChanges, Reaction
from tgllm.services.turns.running import RunningTurns
from tgllm.testing.clock import ManualClock
from tgllm.testing.turns import turn_of

INTERVAL = 2.0


def write_elsewhere(database: Database) -> None:
    """Write something new with a connection of its own, as another process does."""
    with closing(connect(database.path)) as conn:
        kv.set_value(conn, "elsewhere", uuid4().hex, 1, 1)


@asynccontextmanager
async def watching(database: Database, clock: ManualClock, react: Reaction) -> AsyncGenerator[None]:
    task = asyncio.create_task(OutsideChanges(database, clock, INTERVAL, react).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def paused(clock: ManualClock) -> None:
    while not clock.sleepers:  # noqa: ASYNC110  the clock tells nobody who waits for it
        await asyncio.sleep(0)


async def looks(clock: ManualClock) -> None:
    """Let the pause pass, and wait until the next one begins."""
    await paused(clock)
    await clock.advance(INTERVAL)
    await paused(clock)


async def test_writes_are_followed_by_one_new_mark_of_the_run(database: Database, clock: ManualClock) -> None:
    async def react() -> None:
        pass

    async def mark() -> object:
        await looks(clock)
        return await database.read(lambda conn: kv.get(conn, "database", "run"))

    await database.watch_file(clock)
    async with watching(database, clock, react):
        marks = [await mark(), await mark()]
        await database.write(lambda conn: kv.set_value(conn, "here", "key", 1, 1))
        marks += [await mark(), await mark()]
    assert [str(found).rpartition(":")[2] for found in marks] == ["1", "1", "2", "2"]


async def test_each_change_is_noticed_once(database: Database, clock: ManualClock) -> None:
    noticed: list[float] = []

    async def react() -> None:
        noticed.append(clock.monotonic())

    async with watching(database, clock, react):
        await looks(clock)
        write_elsewhere(database)
        await looks(clock)
        await looks(clock)
        write_elsewhere(database)
        write_elsewhere(database)
        await looks(clock)
    assert noticed == [2 * INTERVAL, 4 * INTERVAL]


async def test_own_changes_are_no_news(database: Database, clock: ManualClock) -> None:
    noticed: list[float] = []

    async def react() -> None:
        noticed.append(clock.monotonic())

    async with watching(database, clock, react):
        await database.write(lambda conn: kv.set_value(conn, "here", "key", 1, 1))
        await looks(clock)
    assert noticed == []


async def test_what_fails_ends_the_watch(database: Database, clock: ManualClock) -> None:
    async def fail() -> None:
        raise OSError("no")

    write_elsewhere(database)
    task = asyncio.create_task(OutsideChanges(database, clock, INTERVAL, fail).run())
    await paused(clock)
    await clock.advance(INTERVAL)
    with pytest.raises(OSError, match="no"):
        await task


class TestLostAccess:
    ANN, BOB, EVE, GUEST = range(1, 5)

    async def know(self, database: Database, user_id: int, status: users.Status, until: int | None = None) -> None:
        await database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(user_id), 1))
        await database.write(lambda conn: users.set_status(conn, user_id, status, 1, expires_at=until))

    async def test_turns_of_those_who_may_not_use_the_bot_are_stopped(
        self, database: Database, clock: ManualClock
    ) -> None:
        now = int(clock.now() * 1000)
        await self.know(database, self.ANN, "active")
        await self.know(database, self.BOB, "blocked")
        await self.know(database, self.GUEST, "active", until=now)
        running = RunningTurns()
        with (
            running.track(turn_of("1", ":1:", self.ANN)) as ann,
            running.track(turn_of("2", ":2:", self.BOB)) as bob,
            running.track(turn_of("3", ":3:", self.BOB)) as bobs_other,
            running.track(turn_of("4", ":4:", self.EVE)) as eve,
            running.track(turn_of("5", ":5:", self.GUEST)) as guest,
        ):
            await LostAccess(database, running, clock).stop_turns()
            assert [turn.cause is not None for turn in (ann, bob, bobs_other, eve, guest)] == [False, *[True] * 4]

    async def test_turns_of_guests_of_a_group_run_as_long_as_it_is_let_in(
        self, database: Database, clock: ManualClock
    ) -> None:
        await database.write(lambda conn: groups.request(conn, -5, "Room", 1))
        await database.write(lambda conn: groups.set_status(conn, -5, "active", 1))
        running = RunningTurns()
        with (
            running.track(turn_of("1", ":-5:", self.EVE)) as there,
            running.track(turn_of("2", ":-6:", self.EVE)) as elsewhere,
        ):
            await LostAccess(database, running, clock).stop_turns()
            assert [turn.cause for turn in (there, elsewhere)] == [None, "person"]
            await database.write(lambda conn: groups.set_status(conn, -5, "denied", 1))
            await LostAccess(database, running, clock).stop_turns()
            assert there.cause == "person"
