"""How fast one person may ask."""

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
