"""The index follows the messages, and keeps nothing of what is deleted."""

from contextlib import suppress
from pathlib import Path

import pytest

from database_support import say_in
from tgllm.db.checkpoint import empty_log
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.erasure import erase
from tgllm.db.tables import kv
from tgllm.db.tables.memory import message_search
from tgllm.services.common.lane import Lane
from tgllm.services.search import index as index_module
from tgllm.services.search.finder import find
from tgllm.services.search.index import SearchIndex
from tgllm.testing.clock import ManualClock

SECRET = "zyxwvutsecret"


@pytest.fixture
def index(database: Database, clock: ManualClock) -> SearchIndex:
    return SearchIndex(database, clock)


def files(database: Database) -> bytes:
    """The bytes of the database and of its log."""
    return b"".join(path.read_bytes() for path in sorted(Path(database.path).parent.glob(f"{database.path.name}*")))


def traces(database: Database) -> list[bytes]:
    """Trigrams of the secret that are in the files; the index stores what terms have in common only once."""
    found = files(database)
    return [gram for gram in (b"zyx", b"yxw", b"xwv", b"wvu", b"vut") if gram in found]


async def found(database: Database, query: str = SECRET, lane: int = 7) -> list[str]:
    return [hit.text for hit in (await database.read(lambda conn: find(conn, Lane(lane), query))).hits]


async def counts(database: Database) -> tuple[int, int]:
    """Waiting messages, and removals."""
    return await database.read(
        lambda conn: (
            int(conn.execute("SELECT count(*) FROM search_waiting").fetchone()[0]),
            int(conn.execute("SELECT count(*) FROM search_removals").fetchone()[0]),
        )
    )


async def test_nothing_of_a_deleted_message_stays_in_the_files(
    database: Database, index: SearchIndex, clock: ManualClock
) -> None:
    await database.write(lambda conn: say_in(conn, ":8:", *(f"other {number}" for number in range(40))))
    await database.write(lambda conn: say_in(conn, ":7:", f"I say {SECRET}."))
    await index.update()
    await database.write(lambda conn: say_in(conn, ":8:", *(f"later {number}" for number in range(40))))
    await index.update()
    await empty_log(database, clock)
    assert traces(database)
    assert await found(database)
    await database.write(lambda conn: erase(conn, 7, 1))
    assert not await found(database)
    assert await index.purge()
    await empty_log(database, clock)
    assert (traces(database), SECRET.encode() in files(database)) == ([], False)
    assert await counts(database) == (0, 0)
    assert len(await found(database, "later", 8)) == 40


async def test_a_message_that_never_was_in_the_index_leaves_no_removal(database: Database, index: SearchIndex) -> None:
    await database.write(lambda conn: say_in(conn, ":7:", SECRET))
    await database.write(lambda conn: erase(conn, 7, 1))
    assert await counts(database) == (0, 0)
    assert not await index.purge()


async def test_a_new_message_with_the_id_of_a_deleted_one_is_found_by_its_own_words(
    database: Database, index: SearchIndex
) -> None:
    (first,) = await database.write(lambda conn: say_in(conn, ":7:", SECRET))
    await index.update()
    await database.write(lambda conn: erase(conn, 7, 1))
    (second,) = await database.write(lambda conn: say_in(conn, ":7:", "plums"))
    assert first == second
    await index.update()
    assert (await found(database), await found(database, "plums")) == ([], ["plums"])


@pytest.mark.parametrize("stop_at", range(12))
async def test_after_a_crash_at_any_point_the_work_goes_on(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    monkeypatch.setattr(index_module, "MOST_TOGETHER", 2)
    index = SearchIndex(database, clock)
    await database.write(lambda conn: say_in(conn, ":8:", "one apple", "two apples", "three apples"))
    await database.write(lambda conn: say_in(conn, ":7:", SECRET, SECRET + "2"))
    await index.update()
    await database.write(lambda conn: erase(conn, 7, 1))
    await database.write(lambda conn: say_in(conn, ":8:", "four apples"))
    left = stop_at

    class Killed(Exception):
        pass

    real = Database.write

    async def write(self: Database, *given: object, **more: object) -> object:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return await real(self, *given, **more)  # type: ignore[arg-type]  whatever was given

    with monkeypatch.context() as patched, suppress(Killed):
        patched.setattr(Database, "write", write)
        await index.update()
    await SearchIndex(database, clock).update()
    await empty_log(database, clock)
    assert traces(database) == []
    assert await counts(database) == (0, 0)
    assert len(await found(database, "apple", 8)) == 4


async def test_another_way_to_fold_makes_the_index_anew(
    database: Database, index: SearchIndex, clock: ManualClock
) -> None:
    await database.write(lambda conn: say_in(conn, ":7:", "plums"))
    await index.update()
    await database.write(lambda conn: kv.set_value(conn, index_module.SCOPE, index_module.VERSION, "0", 1))
    assert await index.update() == 1
    assert await index.update() == 0
    assert await found(database, "plums") == ["plums"]


async def test_without_full_text_all_texts_are_read_and_later_the_index_is_made(
    database: Database, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(lambda conn: say_in(conn, ":7:", "plums", SECRET))
    await index.update()
    with monkeypatch.context() as patched:
        for module in (message_search, index_module):
            patched.setattr(module, "has_full_text", lambda _conn: False)
        assert await found(database, "plums") == ["plums"]

        def forget(conn: Connection) -> None:
            conn.execute("UPDATE conversations SET head_message_id = NULL")
            conn.execute("DELETE FROM messages WHERE text = ?", (SECRET,))

        await database.write(forget)
        await index.update()
        texts = await database.read(lambda conn: conn.execute("SELECT text FROM search_removals").fetchall())
        assert texts == []
    await index.update()
    assert await found(database, "plums") == ["plums"]
    assert await counts(database) == (0, 0)
