"""The system's clock is set while the bot runs: what waits keeps its age, and what was put off its pause."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tgllm.api.clock import milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.clock_jumps import bring_forward
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.maintenance.clock_watch import LEAST_SECONDS, LONGEST_PAUSE, LOOK_SECONDS, ClockWatch
from tgllm.testing.clock import ManualClock

DAY = 86_400.0
PAUSE = 60_000
JUMPS = pytest.mark.parametrize("seconds", [3 * DAY, -3 * DAY, -400 * DAY, 4000 * DAY, 3600.0, -3600.0])


@pytest.fixture
async def looked(database: Database, clock: ManualClock) -> AsyncIterator[asyncio.Event]:
    """Set when the outbox is looked at again; something waits in both tables."""

    def wait(conn: Connection) -> None:
        now = milliseconds(clock)
        inbox.add_updates(conn, [NewUpdate(1, ":1:", "message", control=False, payload="{}")], now)
        for _ in range(2):
            row = NewOutbox(lane=":1:", method="sendMessage", chat_id=1, payload={"text": "x"})
            outbox.add(conn, [row], now)
        conn.execute("UPDATE outbox SET not_before = ? WHERE id = 1", (now + PAUSE,))

    await database.write(wait)
    found = asyncio.Event()
    task = asyncio.create_task(ClockWatch(database, clock, found.set).run())
    await clock.advance(0)
    yield found
    task.cancel()
    await asyncio.wait({task})


async def waiting(database: Database) -> tuple[int, list[int]]:
    def read(conn: Connection) -> tuple[int, list[int]]:
        row = inbox.get(conn, 1)
        assert row is not None
        return row.received_at, [each[0] for each in conn.execute("SELECT not_before FROM outbox ORDER BY id")]

    return await database.read(read)


@JUMPS
async def test_a_jump_changes_no_age_and_no_pause(
    database: Database, clock: ManualClock, looked: asyncio.Event, seconds: float
) -> None:
    received, pauses = await waiting(database)
    clock.set_now(clock.now() + seconds)
    await clock.advance(LOOK_SECONDS)
    await looked.wait()
    jump = round(seconds * 1000)
    assert await waiting(database) == (received + jump, [pauses[0] + jump, 0])


async def test_a_slow_correction_changes_nothing(database: Database, clock: ManualClock, looked: asyncio.Event) -> None:
    before = await waiting(database)
    for _ in range(10):
        clock.set_now(clock.now() + LEAST_SECONDS / 2)
        await clock.advance(LOOK_SECONDS)
    assert await waiting(database) == before
    assert not looked.is_set()


async def test_what_a_wrong_clock_has_put_off_for_years_is_sent_at_the_next_start(
    database: Database, clock: ManualClock, looked: asyncio.Event
) -> None:
    assert not looked.is_set()
    clock.set_now(clock.now() - 400 * DAY)
    now = milliseconds(clock)
    await database.write(lambda conn: bring_forward(conn, now + LONGEST_PAUSE, now))
    _, pauses = await waiting(database)
    assert pauses == [now, 0]
