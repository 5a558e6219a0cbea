"""The provider as the bot makes it, on a fake of the API."""

from collections.abc import AsyncIterator

import pytest

from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import FakeGemini
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.making import Make, provider_maker
from tgllm_gemini.provider import GeminiProvider

__all__ = ["clock", "emulator", "fake", "make", "provider", "start_bot"]


@pytest.fixture
def clock() -> HurriedClock:
    return HurriedClock()


@pytest.fixture
async def fake() -> AsyncIterator[FakeGemini]:
    async with FakeGemini() as server:
        yield server


@pytest.fixture
async def make(fake: FakeGemini, clock: HurriedClock) -> AsyncIterator[Make]:
    """Makes providers with settings of the test's own."""
    settings = {"api_key": fake.key, "base_url": fake.base_url}
    async with provider_maker("tgllm_gemini.plugin", clock=clock, **settings) as make:
        yield make


@pytest.fixture
async def provider(make: Make) -> GeminiProvider:
    return await make()
