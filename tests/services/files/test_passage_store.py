"""Texts of files are stored in small pieces, come back whole, and are deleted with the last file of their content."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest

from database_support import NOW
from tgllm.db.database import Database
from tgllm.db.tables import files, passages
from tgllm.db.tables.files import NewFile
from tgllm.services.files import passage_store
from tgllm.services.files.passage_store import PassageStore

T = TypeVar("T")

SHA = "c" * 64
LONG = "".join(f"[page {number}]\nOn page {number} it says word{number}, and more.\n" * 20 for number in range(1, 60))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    async with await Database.open(tmp_path / "tgllm.db") as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> PassageStore:
    return PassageStore(database)


async def attach(database: Database) -> int:
    new = NewFile(path="files/x", mime="text/plain", size=1, sha256=SHA, original_name=None, user_id=None)
    return await database.write(lambda conn: files.add(conn, new, NOW))


async def beside(watch: Callable[[], Awaitable[None]], work: Awaitable[T]) -> T:
    """The result of work, while something watches it."""
    watching = asyncio.ensure_future(watch())
    try:
        return await work
    finally:
        watching.cancel()


async def test_a_text_comes_back_whole(database: Database, store: PassageStore) -> None:
    await attach(database)
    assert not await store.has(SHA)
    size = await store.put(SHA, LONG)
    assert size is not None
    assert (size.chars, size.passages > 20, size.tokens > 1000) == (len(LONG), True, True)
    assert (await store.has(SHA), await store.text(SHA)) == (True, LONG)


async def test_it_is_stored_and_deleted_in_small_pieces(
    database: Database, store: PassageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await attach(database)
    monkeypatch.setattr(passage_store, "MOST_TOGETHER", 3)
    together: list[int] = []

    async def watch() -> None:
        """What a unit of another chat finds between the pieces."""
        while True:
            count = await database.write(lambda conn: conn.execute("SELECT count(*) FROM passages").fetchone()[0])
            together.append(count)

    size = await beside(watch, store.put(SHA, LONG))
    assert size is not None
    assert max(after - before for before, after in pairwise(together)) <= 3
    await database.write(lambda conn: files.delete(conn, file))
    together.clear()
    assert await beside(watch, store.purge()) == 1
    assert max(before - after for before, after in pairwise(together)) <= 3
    assert not await store.has(SHA)


async def test_a_second_text_of_the_same_content_replaces_the_first(database: Database, store: PassageStore) -> None:
    await attach(database)
    await store.put(SHA, LONG)
    await store.put(SHA, "short")
    assert await store.text(SHA) == "short"


async def test_two_at_once_leave_one_whole_text(database: Database, store: PassageStore) -> None:
    await attach(database)
    sizes = await asyncio.gather(store.put(SHA, LONG), store.put(SHA, LONG))
    assert None not in sizes
    assert await store.text(SHA) == LONG


async def test_a_text_whose_file_was_deleted_is_not_stored(database: Database, store: PassageStore) -> None:
    assert await store.put(SHA, LONG) is None
    assert await store.purge() == 1
    assert await store.purge() == 0


async def test_after_a_crash_in_the_middle_it_is_not_stored_and_may_be_stored_again(
    database: Database, store: PassageStore
) -> None:
    await attach(database)
    document = await database.write(lambda conn: passages.begin(conn, SHA, 2, 8))
    await database.write(lambda conn: passages.add(conn, document, 0, [passages.Passage(text="half")]))
    assert (await store.has(SHA), await store.text(SHA)) == (False, None)
    await store.put(SHA, LONG)
    assert await store.text(SHA) == LONG


async def test_a_purge_goes_on_after_a_crash(database: Database, store: PassageStore) -> None:
    file = await attach(database)
    await store.put(SHA, LONG)
    await database.write(lambda conn: files.delete(conn, file))
    await database.write(lambda conn: passages.delete_orphans(conn, 5))
    assert await PassageStore(database).purge() == 1
    assert await database.read(lambda conn: conn.execute("SELECT count(*) FROM passages").fetchone()[0]) == 0


async def test_other_texts_stay(database: Database, store: PassageStore) -> None:
    await attach(database)
    await store.put(SHA, LONG)
    assert await store.purge() == 0
    assert await store.has(SHA)
