"""Units of work are all or nothing, one after the other, and never stranded."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from engines import Engine, elsewhere
from tgllm.db.database import Database
from tgllm.db.engine.errors import DatabaseClosed, DatabaseError
from tgllm.db.engine.sqlite import BUSY_TIMEOUT, connect
from tgllm.db.file.schema import prepare
from tgllm.db.tables import kv


def count(conn: sqlite3.Connection) -> int:
    return len(kv.items(conn, "test"))


def put(conn: sqlite3.Connection, key: str) -> None:
    kv.set_value(conn, "test", key, 1, NOW)


async def test_a_unit_is_committed_and_seen_by_readers(database: Database) -> None:
    await database.write(lambda conn: put(conn, "a"))
    assert await database.read(count) == 1


async def test_a_unit_that_raises_leaves_nothing_and_the_next_one_works(database: Database) -> None:
    def broken(conn: sqlite3.Connection) -> None:
        put(conn, "a")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(broken)
    assert await database.read(count) == 0
    await database.write(lambda conn: put(conn, "b"))
    assert await database.read(count) == 1


async def test_a_unit_that_breaks_a_rule_leaves_nothing(database: Database) -> None:
    def broken(conn: sqlite3.Connection) -> None:
        put(conn, "a")
        conn.execute("INSERT INTO kv VALUES ('s', 'k', 'no json', 1)")

    with pytest.raises(sqlite3.IntegrityError):
        await database.write(broken)
    assert await database.read(count) == 0


async def test_a_unit_may_not_end_its_transaction(database: Database) -> None:
    with pytest.raises(DatabaseError, match="ended its own transaction"):
        await database.write(lambda conn: conn.execute("COMMIT") and None)


async def test_a_unit_that_raises_stop_iteration_does_not_hang(database: Database) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await database.write(lambda _: next(iter(())))


@pytest.mark.sqlite  # a pragma
async def test_only_a_unit_that_says_so_does_not_wait_for_the_disk(database: Database) -> None:
    def synchronous(conn: sqlite3.Connection) -> int:
        put(conn, "a")
        return int(conn.execute("PRAGMA synchronous").fetchone()[0])

    full, normal = 2, 1
    assert await database.write(synchronous) == full
    assert await database.write(synchronous, durable=False) == normal
    assert await database.write(synchronous) == full
    with pytest.raises(ZeroDivisionError):
        await database.write(lambda _: 1 // 0, durable=False)
    assert await database.write(synchronous) == full
    assert await database.read(count) == 1


async def test_readers_can_not_write(database: Database) -> None:
    with pytest.raises(DatabaseError) as caught:
        await database.read(lambda conn: put(conn, "a"))
    assert caught.value.code == "database_read_only"


async def test_a_read_is_one_view_while_others_write(database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def look_twice(conn: sqlite3.Connection) -> tuple[int, int]:
        before = count(conn)
        inside.set()
        assert go_on.wait(30)
        return before, count(conn)

    reading = asyncio.create_task(database.read(look_twice))
    await asyncio.to_thread(inside.wait, 30)
    await database.write(lambda conn: put(conn, "a"))
    go_on.set()
    assert await reading == (0, 0)
    assert await database.read(count) == 1


async def test_units_run_one_at_a_time_in_the_order_given(database: Database) -> None:
    seen: list[int] = []
    await asyncio.gather(*(database.write(lambda _, i=i: seen.append(i)) for i in range(200)))
    assert seen == list(range(200))


async def test_a_unit_that_has_begun_is_committed_though_its_caller_is_cancelled(database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(conn: sqlite3.Connection) -> None:
        inside.set()
        assert go_on.wait(30)
        put(conn, "slow")

    writing = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(inside.wait, 30)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await database.write(lambda conn: put(conn, "next"))
    assert await database.read(lambda conn: sorted(kv.items(conn, "test"))) == ["next", "slow"]


async def test_whoever_is_to_go_on_from_a_unit_learns_of_it_though_its_caller_is_cancelled(database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()
    told: list[str] = []

    def slow(conn: sqlite3.Connection) -> str:
        inside.set()
        assert go_on.wait(30)
        put(conn, "slow")
        return "stored"

    writing = asyncio.create_task(database.write(slow, then=told.append))
    await asyncio.to_thread(inside.wait, 30)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await database.write(lambda _: "next", then=told.append)
    assert told == ["stored", "next"]


async def test_nobody_goes_on_from_a_unit_that_fails(database: Database) -> None:
    told: list[None] = []

    def broken(conn: sqlite3.Connection) -> None:
        put(conn, "a")
        raise ValueError("no")

    outcomes = await asyncio.gather(
        database.write(broken, then=told.append), database.write(lambda _: None), return_exceptions=True
    )
    assert isinstance(outcomes[0], ValueError)
    assert told == []


async def test_a_breach_by_whoever_goes_on_from_a_unit_is_the_callers_alone(database: Database) -> None:
    def breaks(_: None) -> None:
        raise ValueError("no")

    outcomes = await asyncio.gather(
        database.write(lambda conn: put(conn, "a"), then=breaks),
        database.write(lambda _: "next"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], ValueError)
    assert outcomes[1] == "next"
    assert await database.read(count) == 1


async def test_a_unit_that_has_not_begun_is_left_out_when_its_caller_is_cancelled(database: Database) -> None:
    go_on = threading.Event()
    first = asyncio.create_task(database.write(lambda _: go_on.wait(30)))
    waiting = asyncio.create_task(database.write(lambda conn: put(conn, "a")))
    await asyncio.wait([waiting], timeout=0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    assert await first
    assert await database.read(count) == 0


async def test_closing_finishes_what_waits_and_ends_the_threads(path: Path) -> None:
    database = await Database.open(path)
    writing = [asyncio.create_task(database.write(lambda conn, i=i: put(conn, str(i)))) for i in range(20)]
    await asyncio.wait(writing, timeout=0)
    threads = [t for t in threading.enumerate() if t.name.startswith("tgllm-db")]
    await database.aclose()
    await database.aclose()
    await asyncio.gather(*writing)
    for thread in threads:
        await asyncio.to_thread(thread.join, 30)
    assert threads
    assert not any(thread.is_alive() for thread in threads)
    with pytest.raises(DatabaseClosed):
        await database.read(count)


async def test_a_database_that_was_not_opened_says_so(path: Path) -> None:
    async with Database(path) as database:
        with pytest.raises(DatabaseClosed):
            await database.read(count)


async def test_closing_that_is_cancelled_still_closes(path: Path) -> None:
    database = await Database.open(path)
    go_on = threading.Event()
    writing = asyncio.create_task(database.write(lambda conn: go_on.wait(30) and put(conn, "a")))
    await asyncio.wait([writing], timeout=0)
    threads = [t for t in threading.enumerate() if t.name.startswith("tgllm-db")]
    closing = asyncio.create_task(database.aclose())
    await asyncio.wait([closing], timeout=0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    go_on.set()
    await writing
    for thread in threads:
        await asyncio.to_thread(thread.join, 30)
    assert not any(thread.is_alive() for thread in threads)
    assert not path.with_name("tgllm.db-wal").exists()


@pytest.mark.sqlite  # the file
async def test_a_failed_opening_leaves_no_thread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []

    def refuse(_: Path) -> sqlite3.Connection:
        started.append(threading.current_thread())
        raise DatabaseError("no")

    monkeypatch.setattr("tgllm.db.engine.sqlite_store.connect", refuse)
    with pytest.raises(DatabaseError, match="no"):
        await Database.open(path)
    assert started
    for thread in started:
        await asyncio.to_thread(thread.join, 30)
    assert not any(thread.is_alive() for thread in started)


@pytest.mark.sqlite  # the file
async def test_a_folder_in_place_of_the_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="is a folder"):
        await Database.open(tmp_path)


async def test_writes_of_another_process_are_noticed_once(database: Database) -> None:
    await database.write(lambda conn: put(conn, "own"))
    assert not await database.changed_elsewhere()
    elsewhere(database, lambda conn: put(conn, "others"))
    assert await database.changed_elsewhere()
    assert not await database.changed_elsewhere()


FORGETFUL = """
import asyncio, sys
from tgllm.db.database import Database
from tgllm.db.tables import kv

async def main():
    database = await Database.open(sys.argv[1])
    await database.write(lambda conn: kv.set_value(conn, "test", "a", 1, 1))
    print("end")

asyncio.run(main())
"""


def test_a_database_that_is_left_open_does_not_hang_the_exit(path: Path, engine: Engine) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORGETFUL, str(engine.place(path))],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "end\n")


KILLED = """
import os, signal, sqlite3, sys
import asyncio
from tgllm.db.database import Database
from tgllm.db.tables import kv

def unit(conn):
    kv.set_value(conn, "test", "half", 1, 1)
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = await Database.open(sys.argv[1])
    await database.write(lambda conn: kv.set_value(conn, "test", "whole", 1, 1))
    await database.write(unit)

asyncio.run(main())
"""


async def test_a_process_killed_inside_a_unit_leaves_all_or_nothing(path: Path, engine: Engine) -> None:
    command = [sys.executable, "-c", KILLED, str(engine.place(path))]
    done = await asyncio.to_thread(subprocess.run, command, timeout=50, check=False)
    assert done.returncode == -9
    async with await Database.open(path) as database:
        assert await database.read(lambda conn: list(kv.items(conn, "test"))) == ["whole"]
        if not engine.is_postgres:
            assert await database.read(lambda conn: conn.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"


@pytest.mark.sqlite  # limits the file
async def test_a_full_disk_is_said_in_words_and_passes(database: Database) -> None:
    def grow(conn: sqlite3.Connection) -> None:
        kv.set_value(conn, "test", "large", "x" * 1_000_000, NOW)

    pages = await database.read(lambda conn: int(conn.execute("PRAGMA page_count").fetchone()[0]))
    await database.write(lambda conn: conn.execute(f"PRAGMA max_page_count = {pages + 8}").fetchone())
    with pytest.raises(DatabaseError, match="disk is full") as caught:
        await database.write(grow)
    assert caught.value.code == "database_full"
    await database.write(lambda conn: put(conn, "small"))
    await database.write(lambda conn: conn.execute("PRAGMA max_page_count = 1000000").fetchone())
    await database.write(grow)
    assert sorted(await database.read(lambda conn: kv.items(conn, "test"))) == ["large", "small"]


@pytest.mark.sqlite  # the file
async def test_open_takes_a_file_that_is_in_use(path: Path) -> None:
    prepare(path, NOW)
    async with await Database.open(path) as one, await Database.open(path) as two:
        await one.write(lambda conn: put(conn, "a"))
        assert await two.read(count) == 1


@pytest.mark.sqlite  # the log of the file
async def test_a_checkpoint_that_can_not_be_completed_takes_no_patience_from_writes(
    database: Database, path: Path
) -> None:
    await database.write(lambda conn: put(conn, "a"))
    with closing(connect(path, "ro")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM kv").fetchone()
        await database.write(lambda conn: put(conn, "b"))
        assert not await database.checkpoint()
    assert await database.checkpoint()
    waits = await database.write(lambda conn: int(conn.execute("PRAGMA busy_timeout").fetchone()[0]))
    assert waits == 1000 * BUSY_TIMEOUT


@pytest.mark.sqlite  # the log of the file
async def test_what_was_committed_is_synchronised_without_a_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``synchronous = FULL`` does it, but after the commit."""
    synced: list[tuple[int, int]] = []

    def noted(file: int) -> None:
        found = os.fstat(file)
        synced.append((found.st_ino, found.st_size))

    monkeypatch.setattr(os, "fdatasync" if hasattr(os, "fdatasync") else "fsync", noted)
    await database.write(lambda conn: kv.set_value(conn, "test", "a", 1, 1), durable=False)
    before = database.ended
    await database.sync()
    log = await asyncio.to_thread(Path(f"{database.path}-wal").stat)
    assert synced == [(log.st_ino, log.st_size)]
    assert database.ended == before


@pytest.mark.sqlite  # the log of the file
async def test_where_the_log_can_not_be_synchronised_a_commit_does_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError

    statements: list[str] = []
    await database.write(lambda conn: conn.set_trace_callback(statements.append))
    version = await database.read(lambda conn: conn.execute("PRAGMA user_version").fetchone()[0])
    monkeypatch.setattr(os, "open", refused)
    await database.sync()
    monkeypatch.undo()
    assert await database.read(lambda conn: conn.execute("PRAGMA user_version").fetchone()[0]) == version
    assert statements[-2:] == [f"PRAGMA user_version = {version}", "COMMIT"]
    assert "PRAGMA synchronous = NORMAL" not in statements
