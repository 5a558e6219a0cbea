"""Fakes of services, and providers with their addresses."""

from collections.abc import AsyncIterator

import pytest

from tgllm.testing.fake_providers import FakeOpenAI
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.making import Make, provider_maker

__all__ = ["dialect", "emulator", "fake", "make", "start_bot"]


@pytest.fixture
def dialect() -> str:
    """The service that the fake imitates; a test parametrises it."""
    return "plain"


@pytest.fixture
async def fake(dialect: str) -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI(dialect) as server:
        yield server


@pytest.fixture
async def make(fake: FakeOpenAI) -> AsyncIterator[Make]:
    """Makes providers of one service, ``s``, with settings of the test's own."""
    async with provider_maker("tgllm_openai.plugin") as make_plugin:

        async def make_service(**changes: object) -> object:
            given = {"api_key": fake.key, "base_url": fake.base_url, **changes}
            service = {name: value for name, value in given.items() if value is not None}
            return await make_plugin(services={"s": service})

        yield make_service
