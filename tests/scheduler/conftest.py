"""A clock that a test moves, and a database of its own."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tgllm.testing.clock import ManualClock

Pass = Callable[[float], Awaitable[None]]


@pytest.fixture
def pass_time(clock: ManualClock) -> Pass:
    """Lets time pass once everybody who waits for it is waiting."""

    async def go_on(seconds: float, sleepers: int = 1) -> None:
        while clock.sleepers < sleepers:  # noqa: ASYNC110  the clock tells nobody who waits for it
            await asyncio.sleep(0)
        await clock.advance(seconds)

    return go_on
