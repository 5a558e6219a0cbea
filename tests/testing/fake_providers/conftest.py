"""The plainest of clients for a fake."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tgllm.testing.fake_providers import FakeServer


@pytest.fixture
async def http(fake: FakeServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the fake's key as a bearer token."""
    headers = {"Authorization": f"Bearer {fake.key}"}
    async with httpx.AsyncClient(base_url=fake.base_url, headers=headers) as client:
        yield client
