"""A clock that a test moves, and a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tgllm.db.database import Database
from tgllm.testing.clock import ManualClock

Pass = Callable[[float], Awaitable[None]]


@pytest.fixture
def clock() -> ManualClock:
    """2026-01-01 00:00 UTC, a Thursday."""
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "tgllm.db", clock=clock) as opened:
        yield opened


@pytest.fixture
def pass_time(clock: ManualClock) -> Pass:
    """Lets time pass once everybody who waits for it is waiting."""

    async def go_on(seconds: float, sleepers: int = 1) -> None:
        while clock.sleepers < sleepers:  # noqa: ASYNC110  the clock tells nobody who waits for it
            await asyncio.sleep(0)
        await clock.advance(seconds)

    return go_on
