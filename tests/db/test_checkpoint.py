"""The database's log is emptied, if need be once nobody reads it any more."""

import asyncio

import pytest

from tgllm.db.checkpoint import TRIES, empty_log
from tgllm.db.database import Database
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.sqlite  # only SQLite has such a log


@pytest.mark.parametrize(("readings", "tries"), [(0, 1), (2, 3), (99, TRIES)])
async def test_it_is_tried_again_a_few_times_while_it_is_being_read(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, readings: int, tries: int
) -> None:
    tried = 0

    async def checkpoint() -> bool:
        nonlocal tried
        tried += 1
        return tried > readings

    monkeypatch.setattr(database, "checkpoint", checkpoint)
    emptying = asyncio.create_task(empty_log(database, clock))
    while not emptying.done():
        await asyncio.sleep(0)
        if clock.sleepers:
            await clock.advance(1.0)
    await emptying
    assert tried == tries
