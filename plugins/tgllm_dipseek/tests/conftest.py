"""The provider as the bot makes it, on a fake of the API."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tgllm.testing.clock import HurriedClock
from tgllm.testing.fake_providers import FakeDipseek
from tgllm_dipseek import plugin
from tgllm_dipseek.provider import DipseekProvider
from tgllm_dipseek.settings import Settings

Make = Callable[..., Awaitable[DipseekProvider]]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDipseek]:
    async with FakeDipseek() as server:
        yield server


@pytest.fixture
async def make(fake: FakeDipseek) -> AsyncIterator[Make]:
    """Makes providers with settings of the test's own."""
    made: list[DipseekProvider] = []

    async def provider(**settings: Any) -> DipseekProvider:
        values = Settings.model_validate({"api_key": fake.key, "base_url": fake.base_url, **settings})
        (spec,) = plugin.tgllm_providers()
        made.append(spec.create(SimpleNamespace(settings=values, clock=HurriedClock())))  # type: ignore[arg-type]  what it reads
        return made[-1]

    yield provider
    for one in made:
        await one.aclose()


@pytest.fixture
async def provider(make: Make) -> DipseekProvider:
    return await make()
