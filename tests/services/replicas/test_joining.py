"""A replica that starts while the server is away waits for it."""

import asyncio

import pytest

from bot_support import pause
from cut_proxy import cut_proxy
from tgllm.config.sections.replicas import ReplicasSection
from tgllm.db.database import Database
from tgllm.services.replicas.membership import Membership
from tgllm.testing.clock import HurriedClock

pytestmark = pytest.mark.postgres


async def test_it_joins_once_the_server_is_there(postgres_url: str) -> None:
    joined, go_on = asyncio.Event(), asyncio.Event()

    async def be_a_replica(membership: Membership) -> None:
        async with membership.joined():
            joined.set()
            await go_on.wait()

    with cut_proxy(postgres_url) as proxy:
        async with await Database.open(proxy.url) as database:
            membership = Membership(database, ReplicasSection(), clock=HurriedClock())
            proxy.refuses = True
            being = asyncio.create_task(be_a_replica(membership))
            while proxy.refusals < 2:
                assert not being.done(), being
                await pause()
            assert not joined.is_set()
            proxy.refuses = False
            await joined.wait()
            assert membership.is_valid()
            go_on.set()
            await being
