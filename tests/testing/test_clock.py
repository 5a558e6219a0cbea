"""The virtual clock."""

import asyncio

from tgllm.api.clock import Clock
from tgllm.testing.clock import ManualClock


async def test_time_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(start=1000.0)
    assert isinstance(clock, Clock)
    assert (clock.now(), clock.monotonic()) == (1000.0, 0.0)
    await clock.advance(2.5)
    assert (clock.now(), clock.monotonic()) == (1002.5, 2.5)
    clock.set_now(50.0)
    assert (clock.now(), clock.monotonic()) == (50.0, 2.5)


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock, woken = ManualClock(), list[tuple[str, float]]()

    async def sleeper(name: str, *spans: float) -> None:
        for span in spans:
            await clock.sleep(span)
            woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 3))
        group.create_task(sleeper("twice", 1, 1))
        group.create_task(sleeper("soon", 1))
        await clock.advance(2)
        assert woken == [("twice", 1.0), ("soon", 1.0), ("twice", 2.0)]
        assert clock.sleepers == 1
        await clock.advance(1)
    assert woken[-1] == ("late", 3.0)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.advance(1)
    task.cancel()
    await asyncio.wait({task})
    assert clock.sleepers == 0
    await clock.sleep(0)
    assert clock.monotonic() == 1
