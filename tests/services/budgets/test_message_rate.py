"""How fast one person may ask."""

import pytest

from tgllm.db.database import Database
from tgllm.services.budgets.message_rate import MOST_PEOPLE, MessageRate
from tgllm.testing.clock import ManualClock


async def test_so_many_in_any_minute(clock: ManualClock) -> None:
    rate = MessageRate(2, clock)
    assert [rate.take(7) for _ in range(4)] == ["ok", "ok", "first", "again"]
    await clock.advance(59)
    assert rate.take(7) == "again"
    await clock.advance(1)
    assert [rate.take(7) for _ in range(3)] == ["ok", "ok", "first"]


async def test_the_minute_slides(clock: ManualClock) -> None:
    rate = MessageRate(2, clock)
    rate.take(7)
    await clock.advance(40)
    rate.take(7)
    await clock.advance(20)
    assert [rate.take(7), rate.take(7)] == ["ok", "first"]
    await clock.advance(40)
    assert [rate.take(7), rate.take(7)] == ["ok", "again"]


def test_each_person_has_their_own(clock: ManualClock) -> None:
    rate = MessageRate(1, clock)
    assert [rate.take(user) for user in (7, 8, 7, 8)] == ["ok", "ok", "first", "first"]


def test_zero_is_no_limit(clock: ManualClock) -> None:
    rate = MessageRate(0, clock)
    assert {rate.take(7) for _ in range(1000)} == {"ok"}


async def test_people_who_are_quiet_are_forgotten(clock: ManualClock) -> None:
    rate = MessageRate(1, clock)
    for user in range(MOST_PEOPLE + 1):
        rate.take(user)
    await clock.advance(60)
    rate.take(-1)
    assert len(rate) == 1


@pytest.mark.postgres
async def test_all_replicas_together_have_one_limit(postgres_url: str, clock: ManualClock) -> None:
    async with (
        await Database.open(postgres_url, clock=clock) as one,
        await Database.open(postgres_url, clock=clock) as two,
    ):
        rates = MessageRate(2, clock), MessageRate(2, clock)
        places = [(rates[0], one), (rates[1], two), (rates[0], one), (rates[1], two)]
        assert [await rate.take_shared(database, 7) for rate, database in places] == ["ok", "ok", "first", "again"]
        assert await rates[1].take_shared(two, 8) == "ok", "each person has their own"
        await clock.advance(60)
        assert await rates[1].take_shared(two, 7) == "ok"
