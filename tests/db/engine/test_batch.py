"""Units that wait at the same moment share a commit, and each is still all or nothing."""

import asyncio
import sqlite3
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import closing

import pytest

from database_support import NOW, busy, together
from tgllm.db.database import Database
from tgllm.db.engine import sqlite_store
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.signals import Signal
from tgllm.db.engine.sqlite import connect
from tgllm.db.tables import kv


def putting(key: str) -> Callable[[sqlite3.Connection], None]:
    return lambda conn: kv.set_value(conn, "test", key, 1, NOW)


def keys(conn: sqlite3.Connection) -> list[str]:
    return sorted(kv.items(conn, "test"))


async def commits(database: Database, *units: Callable[[sqlite3.Connection], object]) -> int:
    """How many transactions were committed for units that waited together."""
    session = await database._writer.outside(lambda session: session)
    commit, commits = session.commit, 0

    def counted(signals: AbstractSet[Signal]) -> None:
        nonlocal commits
        commits += 1
        commit(signals)

    session.commit = counted
    await together(database, *units)
    session.commit = commit
    # One of them is of the unit that kept the writer busy.
    return commits - 1


async def test_units_that_wait_share_a_commit(database: Database) -> None:
    assert await commits(database, *[putting(str(number)) for number in range(10)]) == 1
    assert len(await database.read(keys)) == 10


async def test_units_of_a_batch_run_in_order_and_see_each_other(database: Database) -> None:
    assert await together(database, putting("a"), keys, putting("b"), keys) == [None, ["a"], None, ["a", "b"]]


async def test_a_unit_that_fails_is_undone_alone(database: Database) -> None:
    def broken(conn: sqlite3.Connection) -> None:
        putting("broken")(conn)
        raise ValueError("no")

    first, failed, last = await together(database, putting("a"), broken, putting("b"))
    assert (first, last) == (None, None)
    assert isinstance(failed, ValueError)
    assert await database.read(keys) == ["a", "b"]


async def test_a_unit_that_breaks_a_rule_is_undone_alone(database: Database) -> None:
    def broken(conn: sqlite3.Connection) -> None:
        putting("broken")(conn)
        conn.execute("INSERT INTO kv VALUES ('s', 'k', 'no json', 1)")

    _, failed, _ = await together(database, putting("a"), broken, putting("b"))
    assert isinstance(failed, sqlite3.IntegrityError)
    assert await database.read(keys) == ["a", "b"]


@pytest.mark.sqlite  # limits the file
async def test_nobody_is_told_that_it_is_stored_when_the_commit_fails(database: Database) -> None:
    def too_much(conn: sqlite3.Connection) -> None:
        conn.execute("PRAGMA max_page_count = 1")
        kv.set_value(conn, "test", "large", "x" * 100_000, NOW)

    results = await together(database, putting("a"), too_much, putting("b"))
    stored = await database.read(keys)
    told = [key for key, result in zip(("a", "large", "b"), results, strict=True) if result is None]
    assert isinstance(results[1], DatabaseError)
    assert told == stored


async def test_a_unit_that_ends_the_transaction_fails_all_that_share_it(database: Database) -> None:
    results = await together(database, putting("a"), lambda conn: conn.execute("ROLLBACK") and None, putting("b"))
    assert all(isinstance(result, DatabaseError) for result in results)
    assert await database.read(keys) == []
    await database.write(putting("c"))
    assert await database.read(keys) == ["c"]


async def test_jobs_outside_of_transactions_keep_their_place(database: Database) -> None:
    async with busy(database):
        tasks = [
            asyncio.create_task(database.write(putting("a"))),
            asyncio.create_task(database.checkpoint()),
            asyncio.create_task(database.write(keys)),
        ]
        await asyncio.wait(tasks, timeout=0)
    assert await asyncio.gather(*tasks) == [None, True, ["a"]]


async def test_a_query_that_fails_leaves_the_others_their_results(database: Database) -> None:
    await database.write(putting("a"))

    def writes(conn: sqlite3.Connection) -> None:
        putting("b")(conn)

    results = await asyncio.gather(
        database.read(keys), database.read(writes), database.read(keys), return_exceptions=True
    )
    assert (results[0], results[2]) == (["a"], ["a"])
    assert isinstance(results[1], DatabaseError)


async def test_many_at_once_are_all_stored(database: Database) -> None:
    await asyncio.gather(*(database.write(putting(f"{number:03}")) for number in range(300)))
    assert await database.read(keys) == [f"{number:03}" for number in range(300)]


@pytest.mark.sqlite  # a pragma
@pytest.mark.parametrize("durable", [True, False])
async def test_waiting_for_the_disk_is_put_back_after_each_batch(database: Database, *, durable: bool) -> None:
    await database.write(putting("a"), durable=durable)
    level = await database.write(lambda conn: int(conn.execute("PRAGMA synchronous").fetchone()[0]))
    assert level == 2  # FULL; sqlite.org/pragma.html#pragma_synchronous


@pytest.mark.sqlite  # on a server no number stays: other processes write
async def test_only_the_last_unit_of_a_batch_finds_the_number_that_stays(database: Database) -> None:
    """What an earlier one has read may have been changed by a later one, before either is committed."""
    found: list[int] = []
    async with busy(database):
        units = (putting("a"), keys, putting("b"))
        tasks = [
            asyncio.create_task(database.write(unit, then=lambda _: found.append(database.ended))) for unit in units
        ]
        await asyncio.wait(tasks, timeout=0)
    await asyncio.gather(*tasks)
    assert found == [database.ended - 2, database.ended - 1, database.ended]


@pytest.mark.sqlite  # on a server no number stays: other processes write
async def test_a_unit_whose_result_is_delivered_first_counts_in_its_own_place(database: Database) -> None:
    found: dict[str, int] = {}
    async with busy(database):
        tasks = [
            asyncio.create_task(database.write(keys, then=lambda _: found.update(read=database.ended))),
            asyncio.create_task(
                database.write(putting("a"), answers="outbox", then=lambda _: found.update(written=database.ended))
            ),
        ]
        await asyncio.wait(tasks, timeout=0)
    await asyncio.gather(*tasks)
    assert list(found) == ["written", "read"]
    assert (found["read"], found["written"]) == (database.ended - 1, database.ended)


@pytest.mark.sqlite  # on a server no number stays: other processes write
async def test_a_look_for_changes_of_other_processes_counts(database: Database) -> None:
    before = database.ended
    await database.changed_elsewhere()
    assert database.ended > before


@pytest.mark.sqlite  # the log of the file
async def test_the_log_is_copied_into_the_file_between_the_commits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite by itself would do it within a commit, which delays the callers of that batch."""
    monkeypatch.setattr(sqlite_store, "COPY_AFTER", 10)
    statements: list[str] = []
    await database.write(lambda conn: conn.set_trace_callback(statements.append))
    for number in range(25):
        await database.write(lambda conn, number=number: kv.set_value(conn, "test", "a", "x" * 50_000 + str(number), 1))
    (limit,) = await database.write(lambda conn: conn.execute("PRAGMA wal_autocheckpoint").fetchone())
    copies = [at for at, sql in enumerate(statements) if "wal_checkpoint" in sql]
    assert len(copies) == 2
    assert all(statements[at - 1] == "COMMIT" for at in copies)
    assert limit > 1000


@pytest.mark.sqlite  # the log of the file
async def test_a_reader_of_old_pages_does_not_stop_the_copying(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "COPY_AFTER", 2)
    with closing(connect(database.path)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM kv").fetchone()[0] >= 0
        for number in range(6):
            await database.write(putting(str(number)))
    assert len(await database.read(keys)) == 6
