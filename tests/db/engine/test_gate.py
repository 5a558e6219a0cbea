"""Units of work wait while the disk is full, read-only or locked, and are stored once when it can be used again."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tgllm.db import database as module
from tgllm.db.database import RETRY_SECONDS, Database
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.tables import kv
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.sqlite  # faults of the disk with the file

LARGE = "x" * 200_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.01)
    async with await Database.open(path, clock=clock) as opened, opened.patient(clock):
        yield opened


def put(conn: sqlite3.Connection, key: str, value: str = "small") -> None:
    kv.set_value(conn, "test", key, value, 1)


async def limit_pages(database: Database, *, full: bool) -> None:
    def unit(conn: sqlite3.Connection) -> None:
        pages = int(conn.execute("PRAGMA page_count").fetchone()[0])
        conn.execute(f"PRAGMA max_page_count = {pages if full else 1_000_000}")

    await database.write(unit)


async def keys(database: Database) -> list[str]:
    return sorted(await database.read(lambda conn: kv.items(conn, "test")))


async def waits(database: Database, key: str, value: str = LARGE) -> "asyncio.Task[None]":
    task = asyncio.create_task(database.write(lambda conn: put(conn, key, value)))
    await database.gate.wait_closed()
    assert not task.done()
    return task


async def test_a_unit_waits_for_a_full_disk_and_is_stored_when_there_is_space(
    database: Database, clock: ManualClock
) -> None:
    heard: list[str] = []
    database.gate.listen(lambda found: heard.append(f"closed: {found.state}"), lambda _: heard.append("open"))
    await limit_pages(database, full=True)
    task = await waits(database, "large")
    assert database.gate.state == "full"
    for _ in range(3):
        await clock.advance(RETRY_SECONDS)
        await database.read(lambda _: None)
        assert not task.done()
    assert database.gate.seconds_closed() == 3 * RETRY_SECONDS
    await limit_pages(database, full=False)
    assert database.gate.state == "full", "what waits is not stored yet"
    await clock.advance(RETRY_SECONDS)
    await task
    await database.gate.wait_open()
    assert await keys(database) == ["large"]
    assert heard == ["closed: full", "open"]


async def test_small_units_are_stored_beside_a_large_one_that_waits(database: Database, clock: ManualClock) -> None:
    await limit_pages(database, full=True)
    large = asyncio.create_task(database.write(lambda conn: put(conn, "a", LARGE)))
    small = asyncio.create_task(database.write(lambda conn: put(conn, "b")))
    await small
    assert not large.done()
    assert await keys(database) == ["b"]
    await limit_pages(database, full=False)
    await clock.advance(RETRY_SECONDS)
    await large
    assert await keys(database) == ["a", "b"]


async def test_a_lock_of_another_process_is_waited_out(database: Database, path: Path, clock: ManualClock) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        task = await waits(database, "a")
        assert database.gate.state == "locked"
        with pytest.raises(DatabaseError) as caught:
            await database.write(lambda conn: put(conn, "impatient"), patient=False)
        assert caught.value.code == "database_locked"
        other.execute("ROLLBACK")
    await clock.advance(RETRY_SECONDS)
    await task
    assert await keys(database) == ["a"]


async def test_a_database_that_becomes_read_only_and_writable_again(database: Database, clock: ManualClock) -> None:
    await database.write(lambda conn: conn.execute("PRAGMA query_only = ON"))
    tasks = [await waits(database, key) for key in "abc"]
    assert database.gate.state == "read_only"
    await clock.advance(RETRY_SECONDS)
    await database._writer.outside(lambda session: session.connection.execute("PRAGMA query_only = OFF"))
    await clock.advance(RETRY_SECONDS)
    await asyncio.gather(*tasks)
    assert await keys(database) == ["a", "b", "c"]


async def test_a_query_that_writes_is_a_mistake_and_waits_for_nothing(database: Database) -> None:
    with pytest.raises(DatabaseError):
        await database.read(lambda conn: put(conn, "a"))
    assert database.gate.obstacle is None


async def test_a_cancelled_caller_leaves_nothing_behind(database: Database, clock: ManualClock) -> None:
    await limit_pages(database, full=True)
    task = await waits(database, "large")
    task.cancel()
    await limit_pages(database, full=False)
    await clock.advance(RETRY_SECONDS)
    await database.gate.wait_open()
    assert await keys(database) == []


async def test_that_the_disk_is_usable_is_said_after_a_success_and_not_because_callers_were_cancelled(
    database: Database, clock: ManualClock
) -> None:
    said: list[str] = []
    database.gate.listen(lambda found: said.append(f"closed: {found.state}"), lambda _: said.append("open"))
    await database._writer.outside(lambda session: session.connection.execute("PRAGMA query_only = ON"))
    task = await waits(database, "a")
    task.cancel()
    await clock.advance(RETRY_SECONDS)
    await database.gate.wait_open()
    assert said == ["closed: read_only"]
    other = await waits(database, "b")
    assert said == ["closed: read_only", "closed: read_only"]
    other.cancel()
    await clock.advance(RETRY_SECONDS)
    await database.gate.wait_open()
    await database._writer.outside(lambda session: session.connection.execute("PRAGMA query_only = OFF"))
    assert said[2:] == []
    await database.write(lambda conn: put(conn, "c"))
    assert said[2:] == ["open"]
    await database.write(lambda conn: put(conn, "d"))
    assert said[2:] == ["open"]


async def test_who_waits_at_the_end_of_the_program_gets_the_error(path: Path, clock: ManualClock) -> None:
    async with await Database.open(path, clock=clock) as database:
        async with database.patient(clock):
            await limit_pages(database, full=True)
            task = await waits(database, "large")
        with pytest.raises(DatabaseError, match="disk is full"):
            await task
        with pytest.raises(DatabaseError, match="disk is full"):
            await database.write(lambda conn: put(conn, "later", LARGE))
        assert database.gate.obstacle is None
        assert clock.sleepers == 0


async def test_closing_stores_what_waits_if_it_can_be_stored(path: Path, clock: ManualClock) -> None:
    database = await Database.open(path, clock=clock)
    async with database.patient(clock):
        await limit_pages(database, full=True)
        task = await waits(database, "large")
        await limit_pages(database, full=False)
        await database.aclose()
        await task
    async with await Database.open(path, clock=clock) as database:
        assert await keys(database) == ["large"]


async def test_damage_is_not_waited_out(database: Database) -> None:
    def damaged(_conn: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    with pytest.raises(DatabaseError) as caught:
        await database.write(damaged)
    assert caught.value.code == "database_corrupt"
    assert database.gate.obstacle is None


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_IOERR, "broken"),
        (sqlite3.SQLITE_IOERR_WRITE, "broken"),
        (sqlite3.SQLITE_CANTOPEN, "unreachable"),
        (sqlite3.SQLITE_READONLY, "read_only"),
        (sqlite3.SQLITE_BUSY, "locked"),
    ],
)
async def test_each_error_of_the_disk_is_waited_out_and_the_unit_stored_once(
    database: Database, clock: ManualClock, result: int, state: str
) -> None:
    """Each fails three times, together with others that come meanwhile, at the commit as well as in the middle."""
    errors = 3
    states: set[str] = set()
    database.gate.listen(lambda found: states.add(found.state), lambda _: None)

    def flaky(conn: sqlite3.Connection) -> None:
        nonlocal errors
        conn.execute("INSERT INTO kv (scope, key, value, updated_at) VALUES ('test', 'once', '1', 1)")
        if errors:
            errors -= 1
            error = sqlite3.OperationalError("disk")
            error.sqlite_errorcode = result
            raise error

    task = asyncio.create_task(database.write(flaky))
    await database.gate.wait_closed()
    assert database.gate.state == state
    while not task.done():
        await database.write(lambda conn: put(conn, "other"))
        await clock.advance(RETRY_SECONDS)
    await task
    await database.gate.wait_open()
    assert await keys(database) == ["once", "other"]
    assert states == {state}
