"""The provider as the bot makes it, on a fake of the API."""

from collections.abc import AsyncIterator

import pytest

from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import FakeAnthropic
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.making import Make, provider_maker
from tgllm_anthropic.provider import AnthropicProvider

__all__ = ["clock", "emulator", "fake", "make", "provider", "start_bot"]


@pytest.fixture
def clock() -> HurriedClock:
    return HurriedClock()


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic() as server:
        yield server


@pytest.fixture
async def make(fake: FakeAnthropic, clock: HurriedClock) -> AsyncIterator[Make]:
    """Makes providers with settings of the test's own."""
    settings = {"api_key": fake.key, "base_url": fake.base_url}
    async with provider_maker("tgllm_anthropic.plugin", clock=clock, **settings) as make:
        yield make


@pytest.fixture
async def provider(make: Make) -> AnthropicProvider:
    return await make()
