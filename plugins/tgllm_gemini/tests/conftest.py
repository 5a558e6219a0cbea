"""The provider as the bot makes it, on a fake of the API."""

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import FakeGemini
from tgllm_gemini import plugin
from tgllm_gemini.provider import GeminiProvider
from tgllm_gemini.settings import Settings

Make = Callable[..., GeminiProvider]


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
    made: list[GeminiProvider] = []

    def provider(**settings: Any) -> GeminiProvider:
        values = Settings.model_validate({"api_key": fake.key, "base_url": fake.base_url, **settings})
        (spec,) = plugin.tgllm_providers()
        made.append(spec.create(SimpleNamespace(settings=values, clock=clock)))  # type: ignore[arg-type]  what it reads
        return made[-1]

    yield provider
    for one in made:
        await one.aclose()


@pytest.fixture
async def provider(make: Make) -> GeminiProvider:
    return make()
