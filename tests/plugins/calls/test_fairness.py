"""Bursts of events that a generator has at once."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tgllm.plugins.calls.fairness import MOST_EVENTS, MOST_SECONDS, Burst, LoopShare
from tgllm.testing.clock import ManualClock


class SteppingClock(ManualClock):
    """Goes on by a step with each look at it."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self._step = step
        self.slept: list[float] = []
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 1
        return self._looks * self._step

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(0)


async def events_of(burst: Burst, other: "Other", most: int) -> int:
    """How many events pass before another task runs."""
    for number in range(1, most + 1):
        await burst.add()
        if other.ran:
            return number
    return most + 1


class Other:
    def __init__(self) -> None:
        self.ran = False
        asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self.ran = True


async def test_others_run_after_a_number_of_events_even_if_the_clock_stands_still(clock: ManualClock) -> None:
    burst = Burst(LoopShare(clock))
    # Of a first burst it is not known whether others have run.
    assert await events_of(burst, Other(), 3 * MOST_EVENTS) <= 2 * MOST_EVENTS
    assert await events_of(burst, Other(), 2 * MOST_EVENTS) <= MOST_EVENTS


async def test_others_run_after_some_milliseconds() -> None:
    burst = Burst(LoopShare(SteppingClock(MOST_SECONDS / 4)))
    assert await events_of(burst, Other(), MOST_EVENTS) <= 10
    assert await events_of(burst, Other(), MOST_EVENTS) <= 5


async def test_a_pause_is_as_long_as_the_burst_and_no_longer_than_allowed() -> None:
    for step in (MOST_SECONDS / 1000, MOST_SECONDS * 9):
        clock = SteppingClock(step)
        burst = Burst(LoopShare(clock))
        for _ in range(3 * MOST_EVENTS):
            await burst.add()
        expected = min(MOST_SECONDS, MOST_EVENTS * step)
        assert clock.slept
        assert all(slept == pytest.approx(expected, rel=0.01) for slept in clock.slept)


async def test_a_stream_that_suspends_pauses_never() -> None:
    pauses = 0

    class Counting(SteppingClock):
        async def sleep(self, seconds: float) -> None:
            nonlocal pauses
            pauses += 1

    burst = Burst(LoopShare(Counting(MOST_SECONDS * 2)))
    for _ in range(100):
        await burst.add()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert pauses == 0


async def test_of_many_endless_consumers_one_continues_in_each_iteration(clock: ManualClock) -> None:
    share, steps = LoopShare(clock), list[int]()

    async def endless() -> AsyncGenerator[None, None]:
        while True:
            yield

    async def consume(number: int) -> None:
        burst = Burst(share)
        async for _ in endless():
            steps.append(number)
            await burst.add()

    tasks = [asyncio.create_task(consume(number)) for number in range(8)]
    for _ in range(40):
        await asyncio.sleep(0)
    before = len(steps)
    for _ in range(40):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(steps) == set(range(8))
    # Without the lock, each iteration of the loop would hold a burst of each of them.
    assert len(steps) - before <= 41 * (MOST_EVENTS + 2)
