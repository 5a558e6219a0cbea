"""Reservations of several replicas: together they let no more begin than one process would."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.shared import reservations
from tgllm.services.budgets.budget import BudgetKey
from tgllm.services.budgets.shared_ledger import SharedLedger
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.postgres

KEY: BudgetKey = ("bot", "tokens", "day")
LIMIT = 100


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[Sequence[tuple[Database, SharedLedger]]]:
    async with await Database.open(postgres_url) as one, await Database.open(postgres_url) as two:
        yield [(each, SharedLedger(each, each.member_id or 0, ManualClock())) for each in (one, two)]


async def take(database: Database, ledger: SharedLedger, turn: str, amount: int) -> str | None:
    """Reserve if it fits; return the reservation's id."""
    reservation = ledger.new_id(turn)

    def unit(conn: Connection) -> bool:
        if ledger.reserved(conn, {KEY: amount})[KEY] + amount > LIMIT:
            return False
        ledger.reserve(conn, reservation, {KEY: amount})
        return True

    return reservation if await database.write(unit) else None


async def test_replicas_never_reserve_more_than_there_is(
    replicas: Sequence[tuple[Database, SharedLedger]],
) -> None:
    taken = await asyncio.gather(*(take(*replicas[turn % 2], f"u{turn}", 30) for turn in range(8)))
    assert sum(each is not None for each in taken) == 3


async def test_release_of_another_replica_leaves_room(replicas: Sequence[tuple[Database, SharedLedger]]) -> None:
    (one, first), (two, second) = replicas
    reservation = await take(one, first, "u1", 80)
    assert reservation is not None
    assert await take(two, second, "u2", 30) is None
    released = first.next_release()
    await one.write(first.release(reservation))
    assert released.is_set()
    assert await take(two, second, "u2", 30) is not None


async def test_what_is_left_of_a_cancelled_turn_is_removed(replicas: Sequence[tuple[Database, SharedLedger]]) -> None:
    (one, first), (two, second) = replicas
    reservation = await take(one, first, "u1", 80)
    assert reservation is not None
    first.release_later(reservation)
    released = first.next_release()
    task = asyncio.create_task(first.run())
    await released.wait()
    assert await take(two, second, "u2", 80) is not None
    task.cancel()
    await asyncio.wait([task])


async def test_reservations_of_a_replica_that_is_gone_count_no_more(
    replicas: Sequence[tuple[Database, SharedLedger]],
) -> None:
    (one, first), (two, second) = replicas
    assert await take(one, first, "u1", 80) is not None
    await two.write(lambda conn: reservations.forget(conn, one.member_id or 0))
    assert await take(two, second, "u2", 80) is not None
