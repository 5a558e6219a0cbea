"""The provider as the bot makes it, on a fake of the API."""

from collections.abc import AsyncIterator

import pytest

from tgllm.testing.fake_providers import FakeDipseek
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.making import Make, provider_maker
from tgllm_dipseek.provider import DipseekProvider

__all__ = ["emulator", "fake", "make", "provider", "start_bot"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDipseek]:
    async with FakeDipseek() as server:
        yield server


@pytest.fixture
async def make(fake: FakeDipseek) -> AsyncIterator[Make]:
    """Makes providers with settings of the test's own."""
    settings = {"api_key": fake.key, "base_url": fake.base_url}
    async with provider_maker("tgllm_dipseek.plugin", **settings) as make:
        yield make


@pytest.fixture
async def provider(make: Make) -> DipseekProvider:
    return await make()
