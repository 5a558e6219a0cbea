"""Strangers are answered once in a while, and not too many of them."""

from tgllm.services.access.stranger_limits import MOST_KNOWN, StrangerLimits
from tgllm.testing.clock import ManualClock


async def test_the_same_answer_is_given_again_after_the_interval(clock: ManualClock) -> None:
    limits = StrangerLimits(clock, 60.0, 100)
    assert [limits.may_answer(("talk", 7)) for _ in range(3)] == [True, False, False]
    assert limits.may_answer(("start", 7))
    assert limits.may_answer(("talk", 8))
    await clock.advance(60)
    assert limits.may_answer(("talk", 7))


async def test_all_together_get_only_so_many_answers_an_hour(clock: ManualClock) -> None:
    limits = StrangerLimits(clock, 0, 3)
    assert [limits.may_answer(("talk", number)) for number in range(5)] == [True, True, True, False, False]
    await clock.advance(3600)
    assert limits.may_answer(("talk", 5))


def test_no_answers_at_all(clock: ManualClock) -> None:
    limits = StrangerLimits(clock, 0, 0)
    assert not limits.may_answer(("talk", 7))


def test_memory_is_limited(clock: ManualClock) -> None:
    limits = StrangerLimits(clock, 60.0, 1 << 20)
    for number in range(MOST_KNOWN + 1):
        limits.may_answer(("talk", number))
    assert limits.may_answer(("talk", 0))
    assert not limits.may_answer(("talk", MOST_KNOWN))


async def test_answers_of_one_transaction_are_counted_after_it(clock: ManualClock) -> None:
    limits = StrangerLimits(clock, 60.0, 3)
    limits.count(("talk", 1))
    pending = [("talk", 2), ("talk", 3)]
    assert limits.allows(("talk", 3), pending[:1])
    assert not limits.allows(("talk", 2), pending)
    assert not limits.allows(("talk", 4), pending)
    await clock.advance(3600)
    assert limits.allows(("talk", 4), pending)
    assert not limits.allows(("talk", 4), [*pending, ("talk", 5)])
