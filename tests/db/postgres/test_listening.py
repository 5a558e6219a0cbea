"""Signals of other processes by LISTEN."""

import asyncio

import pytest

from tgllm.api.clock import SystemClock
from tgllm.db.database import Database
from tgllm.db.engine.place import Server
from tgllm.db.engine.signals import signal
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.postgres


async def test_signal_of_another_process_is_announced(postgres_url: str) -> None:
    async with await Database.open(postgres_url) as one, await Database.open(postgres_url) as two:
        woken, others = asyncio.Event(), asyncio.Event()
        two.on_commit("inbox", woken.set)
        two.on_commit("orders", others.set)
        listening = asyncio.create_task(two.listen(SystemClock()))
        await woken.wait()
        assert others.is_set(), "what was signalled before it listened is unknown"
        woken.clear()
        others.clear()
        await one.write(lambda conn: signal(conn, "inbox"))
        await woken.wait()
        assert not others.is_set()
        listening.cancel()
        await asyncio.wait([listening])


async def test_connection_that_is_lost_is_made_again(postgres_url: str) -> None:
    clock = ManualClock()
    async with await Database.open(postgres_url) as one, await Database.open(postgres_url) as two:
        woken = asyncio.Event()
        two.on_commit("inbox", woken.set)
        listening = asyncio.create_task(two.listen(clock))
        await woken.wait()
        woken.clear()
        ended = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        await one.write(lambda conn: conn.execute(ended).fetchall())
        while not woken.is_set():
            await clock.advance(1)
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait([listening])


async def test_a_pooler_alone_can_not_be_listened_to(postgres_url: str) -> None:
    async with await Database.open(Server(postgres_url, pooled=True)) as pooled:
        assert not pooled.can_listen
    async with await Database.open(Server(postgres_url, listen_url=postgres_url, pooled=True)) as direct:
        assert direct.can_listen
