"""Wake-up calls."""

import asyncio

from tgllm.services.common.wakeup import Wakeup


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
