"""Wake-up calls."""

import asyncio

from tgllm.services.common.wakeup import Wakeup
from tgllm.testing.clock import ManualClock


async def test_a_call_before_the_wait_counts_once() -> None:
    wakeup = Wakeup()
    wakeup.set()
    wakeup.set()
    assert await wakeup.wait()
    assert not await wakeup.wait(0)


async def test_a_call_ends_a_wait() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    wakeup.set()
    assert await waiting


async def test_a_call_that_is_there_is_taken_even_without_time() -> None:
    wakeup = Wakeup()
    wakeup.set()
    assert await wakeup.wait(0)


async def test_a_wait_ends_after_its_time(clock: ManualClock) -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait_for(5, clock))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.1)
    await waiting
    assert not wakeup.is_set


async def test_a_call_ends_a_wait_with_a_time_and_leaves_no_sleeper(clock: ManualClock) -> None:
    wakeup = Wakeup()
    for seconds in (5, None):
        waiting = asyncio.create_task(wakeup.wait_for(seconds, clock))
        await asyncio.sleep(0)
        wakeup.set()
        await waiting
        assert clock.sleepers == 0
