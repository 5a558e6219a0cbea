"""The provider as the bot makes it, on a fake of the API."""

from collections.abc import AsyncIterator

import pytest

from tgllm.testing.fake_providers import FakeMistral
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.making import Make, provider_maker
from tgllm_mistral.provider import MistralProvider

__all__ = ["emulator", "fake", "make", "provider", "start_bot"]


@pytest.fixture
async def fake() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as server:
        yield server


@pytest.fixture
async def make(fake: FakeMistral) -> AsyncIterator[Make]:
    """Makes providers with settings of the test's own."""
    settings = {"api_key": fake.key, "base_url": fake.base_url}
    async with provider_maker("tgllm_mistral.plugin", **settings) as make:
        yield make


@pytest.fixture
async def provider(make: Make) -> MistralProvider:
    return await make()
