"""Transactions on a server: conflicts, lost connections, commits without an answer, processes that were given up."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable

import pytest

from cut_proxy import CutProxy, cut_proxy
from tgllm.db import database as module
from tgllm.db.database import Database
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.unit import Connection
from tgllm.db.postgres.errors import ReplicaLost
from tgllm.db.postgres.store import ServerStore
from tgllm.db.tables import kv
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.postgres

NOW = 1


def adding(key: str, amount: int = 1) -> Callable[[Connection], int]:
    """A unit that is wrong if it is repeated after a commit, or if another one runs in between."""

    def unit(conn: Connection) -> int:
        before = kv.get(conn, "test", key) or 0
        assert isinstance(before, int)
        kv.set_value(conn, "test", key, before + amount, NOW)
        return before + amount

    return unit


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with await Database.open(postgres_url) as opened:
        yield opened


@pytest.fixture
async def other(postgres_url: str) -> AsyncIterator[Database]:
    async with await Database.open(postgres_url) as opened:
        yield opened


@pytest.fixture
def proxy(postgres_url: str) -> object:
    with cut_proxy(postgres_url) as opened:
        yield opened


@pytest.fixture
async def behind(proxy: CutProxy) -> AsyncIterator[Database]:
    """A database behind the proxy."""
    async with await Database.open(proxy.url) as opened:
        yield opened


async def test_two_processes_that_change_the_same_row_lose_no_change(database: Database, other: Database) -> None:
    async def add(place: Database) -> None:
        for _ in range(40):
            await place.write(adding("n"))

    await asyncio.gather(add(database), add(other))
    assert await database.read(lambda conn: kv.get(conn, "test", "n")) == 80


async def test_a_commit_whose_answer_is_lost_counts_once(behind: Database, proxy: CutProxy) -> None:
    assert await behind.write(adding("n")) == 1
    proxy.swallow_answer_to = b"COMMIT"
    assert await behind.write(adding("n")) == 2
    assert proxy.cuts == 1
    assert await behind.write(adding("n")) == 3


async def test_units_that_share_a_commit_whose_answer_is_lost_have_their_results(
    behind: Database, proxy: CutProxy
) -> None:
    await behind.write(adding("n"))
    proxy.swallow_answer_to = b"COMMIT"
    assert await asyncio.gather(*(behind.write(adding("n")) for _ in range(5))) == [2, 3, 4, 5, 6]
    assert await behind.read(lambda conn: kv.get(conn, "test", "n")) == 6


async def test_a_transaction_that_is_cut_off_before_its_commit_runs_again(
    behind: Database, proxy: CutProxy, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    await behind.write(adding("n"))
    proxy.swallow_answer_to = b"INSERT INTO kv"
    async with behind.patient(clock):
        writing = asyncio.create_task(behind.write(adding("n")))
        await behind.gate.wait_closed()
        assert behind.gate.state == "unreachable"
        await clock.advance(0.02)
        assert await writing == 2


async def test_a_server_that_is_away_is_waited_for(
    behind: Database, proxy: CutProxy, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    await behind.write(adding("n"))
    proxy.refuses = True
    proxy.cut_all()
    async with behind.patient(clock):
        writing = asyncio.create_task(behind.write(adding("n")))
        reading = asyncio.create_task(behind.read(lambda conn: kv.get(conn, "test", "n")))
        await behind.gate.wait_closed()
        proxy.refuses = False
        while not (writing.done() and reading.done()):
            await clock.advance(0.02)
        assert (await writing, await reading in {1, 2}) == (2, True)


async def test_the_error_of_a_server_that_is_away_says_what_to_do(behind: Database, proxy: CutProxy) -> None:
    proxy.refuses = True
    proxy.cut_all()
    with pytest.raises(DatabaseError) as raised:
        await behind.write(adding("n"))
    assert raised.value.code == "database_away"
    assert "Check that it runs" in str(raised.value)


async def test_a_process_that_was_given_up_stores_nothing(database: Database, other: Database) -> None:
    await database.write(adding("n"))
    store = database.store
    assert isinstance(store, ServerStore)
    store.member.is_fenced = True
    await other.write(lambda conn: conn.execute("DELETE FROM replicas WHERE id = ?", (store.member.id,)))
    for durable in (True, False):
        with pytest.raises(ReplicaLost):
            await database.write(adding("n"), durable=durable)
    with pytest.raises(ReplicaLost):
        await database.claim(adding("n"))
    assert await other.read(lambda conn: kv.get(conn, "test", "n")) == 1


async def test_writes_of_others_are_noticed_and_own_ones_are_not(database: Database, other: Database) -> None:
    await database.write(adding("n"))
    assert not await database.changed_elsewhere()
    await other.write(adding("n"))
    assert await database.changed_elsewhere()
    assert not await database.changed_elsewhere()


async def test_a_broken_rule_is_the_same_error_as_in_a_file_and_quotes_no_row(database: Database) -> None:
    def broken(conn: Connection) -> None:
        conn.execute("INSERT INTO kv (scope, key, value, updated_at) VALUES (?, ?, ?, ?)", ("s", "k", "secret{", NOW))

    results = await asyncio.gather(
        database.write(adding("a")), database.write(broken), database.write(adding("a")), return_exceptions=True
    )
    assert [results[0], results[2]] == [1, 2]
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert "secret" not in f"{results[1]!r} {results[1].__cause__!r}"


async def test_a_query_can_not_write_and_leaves_the_others_their_results(database: Database) -> None:
    await database.write(adding("a"))
    first, failed, last = await asyncio.gather(
        database.read(lambda conn: kv.get(conn, "test", "a")),
        database.read(adding("a")),
        database.read(lambda conn: kv.get(conn, "test", "a")),
        return_exceptions=True,
    )
    assert (first, last) == (1, 1)
    assert isinstance(failed, DatabaseError)


async def test_text_with_characters_that_the_server_can_not_store(database: Database) -> None:
    await database.write(lambda conn: kv.set_value(conn, "test", "a\0b", "x\0y \ud800", NOW))
    stored = await database.read(lambda conn: kv.items(conn, "test"))
    assert [key.replace("\ufffd", "?") for key in stored] == ["a?b"]


@pytest.mark.parametrize(
    ("change", "code"),
    [("/no_such_database", "database_refused"), ("@127.0.0.1:1/t", "database_away")],
)
async def test_a_database_that_can_not_be_opened(postgres_url: str, change: str, code: str) -> None:
    head, _, _ = postgres_url.rpartition("/" if change.startswith("/") else "@")
    url = f"{head.replace('postgres@', 'postgres:secret@')}{change}"
    with pytest.raises(DatabaseError) as raised:
        await Database.open(url)
    assert raised.value.code == code
    assert "secret" not in str(raised.value)
