"""Claims of several replicas on one queue: what each gets, and what comes between their statements."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.shared import claims
from tgllm.db.queries.shared.claims import Places
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate

pytestmark = pytest.mark.postgres

ALL = Places(lanes=10, strangers=4, in_chat=None)


def update(update_id: int, lane: str = ":1:", *, control: bool = False, stranger: bool = False) -> NewUpdate:
    return NewUpdate(update_id, lane, "message", control, "{}", stranger=stranger)


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[tuple[Database, Database]]:
    async with await Database.open(postgres_url) as one, await Database.open(postgres_url) as two:
        yield one, two


def unit(database: Database, places: Places = ALL) -> Callable[[Connection], list[int]]:
    def run(conn: Connection) -> list[int]:
        assert database.member_id is not None
        return [row.update_id for row in claims.claim(conn, database.member_id, places, 0, max_attempts=2)]

    return run


async def store(database: Database, *updates: NewUpdate) -> None:
    def run(conn: Connection) -> None:
        inbox.add_updates(conn, updates, 0)
        claims.arrived(conn, database.member_id or 0, updates, has_place=True)

    await database.write(run)


class Held:
    """A claim that has started its updates and waits before its commit."""

    def __init__(self, database: Database) -> None:
        self._claim = unit(database)
        self._claimed, self._go_on = threading.Event(), threading.Event()
        self._task = asyncio.create_task(database.claim(self._run))

    def _run(self, conn: Connection) -> list[int]:
        found = self._claim(conn)
        self._claimed.set()
        assert self._go_on.wait(20)
        return found

    async def claimed(self) -> None:
        assert await asyncio.to_thread(self._claimed.wait, 20)

    async def end(self) -> Sequence[int]:
        self._go_on.set()
        return await self._task


async def test_replicas_share_lanes_out(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    await store(one, update(1), update(2, ":2:"), update(3, ":3:"), update(4))
    first = await one.claim(unit(one, Places(2, 0, None)))
    held = Held(two)
    await held.claimed()
    assert first == [1, 2], "the heads of two lanes"
    assert await held.end() == [3], "the third lane; an update behind a running one waits"
    rows = await one.read(inbox.running)
    assert [row.holder for row in rows] == [one.member_id, one.member_id, two.member_id]


async def test_what_another_is_about_to_start_is_passed_over(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    await store(one, update(1))
    held = Held(one)
    await held.claimed()
    assert await two.claim(unit(two)) == []
    assert await held.end() == [1]


async def test_older_update_that_arrives_during_a_claim_waits(replicas: tuple[Database, Database]) -> None:
    """Both are heads then; the unique index refuses the second, and its claim runs again and finds the lane taken."""
    one, two = replicas
    await store(one, update(7))
    held = Held(one)
    await held.claimed()
    # Not by ``store``, which waits for the claim: the claim may also have looked just before the commit of that.
    await two.write(lambda conn: inbox.add_updates(conn, [update(6)], 0))
    second = asyncio.create_task(two.claim(unit(two)))
    assert await held.end() == [7]
    assert await second == []
    await one.write(lambda conn: inbox.finish(conn, 7, "done", 0))
    assert await two.claim(unit(two)) == [6], "it is still handled"


async def test_update_behind_one_that_is_claimed_is_found(replicas: tuple[Database, Database]) -> None:
    """Else it would count as behind another one that does not wait any more, and nothing would look for it."""
    one, two = replicas
    await store(one, update(1))
    held = Held(one)
    await held.claimed()
    storing = asyncio.create_task(store(two, update(2)))
    assert await held.end() == [1]
    await storing
    await one.write(lambda conn: inbox.finish(conn, 1, "done", 0))
    assert await one.claim(unit(one)) == [2]


async def test_head_stays_while_another_update_is_stored_behind_it(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    await store(one, update(1))
    stored, go_on = threading.Event(), threading.Event()

    def storing(conn: Connection) -> None:
        inbox.add_updates(conn, [update(2)], 0)
        claims.arrived(conn, 0, [update(2)], has_place=True)
        stored.set()
        assert go_on.wait(20)

    task = asyncio.create_task(two.write(storing))
    assert await asyncio.to_thread(stored.wait, 20)
    assert await one.claim(unit(one)) == []
    go_on.set()
    await task
    assert await one.claim(unit(one)) == [1]
    await one.write(lambda conn: inbox.finish(conn, 1, "done", 0))
    assert await one.claim(unit(one)) == [2]


async def test_control_is_left_to_the_replica_that_runs_the_lane(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    await store(one, update(1))
    await one.claim(unit(one))
    await store(two, update(2, control=True), update(3, ":2:", control=True))
    assert await two.read(lambda conn: claims.may_claim(conn, two.member_id or 0, ALL, max_attempts=2))
    assert await two.claim(unit(two)) == [3], "a lane in which nothing runs is anyone's"
    assert not await two.read(lambda conn: claims.may_claim(conn, two.member_id or 0, ALL, max_attempts=2))
    assert await one.claim(unit(one, Places(0, 0, None))) == [2], "also without free places"


async def test_the_replica_that_has_to_start_it_is_woken(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    woken: list[int] = []
    two.on_commit("inbox", lambda: woken.append(1))
    await store(two, update(1))
    assert not woken, "this replica starts it itself"
    await one.claim(unit(one))
    await store(two, update(2))
    assert woken, "the lane runs elsewhere"


async def test_chat_has_a_share_of_the_places_of_each_replica(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    await store(one, *(update(each, f":1:{each}") for each in range(1, 8)), update(8, ":2:"))
    assert sorted(await one.claim(unit(one, Places(4, 0, 2)))) == [1, 2, 8]
    assert sorted(await two.claim(unit(two, Places(4, 0, 2)))) == [3, 4]


async def test_suspect_is_started_once(replicas: tuple[Database, Database]) -> None:
    one, two = replicas
    await store(one, update(1))
    await one.write(lambda conn: conn.execute("UPDATE inbox SET crashes = 2"))
    assert await one.claim(unit(one)) == [], "it runs alone"

    def suspect(conn: Connection) -> list[int]:
        found = [claims.claim_suspect(conn, 5, row.update_id, 0) for row in claims.suspects(conn)]
        return [row.update_id for row in found if row is not None]

    assert sorted([await one.claim(suspect), await two.claim(suspect)]) == [[], [1]]
