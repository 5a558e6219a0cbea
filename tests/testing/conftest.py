"""An emulator for each test, and the plainest of clients: HTTP posts of JSON."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tgllm.testing.emulator import Emulator

Api = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def raw(emu: Emulator, http: aiohttp.ClientSession) -> Api:
    """Call a method as the default bot; the whole answer comes back."""

    async def call(method: str, **params: Any) -> dict[str, Any]:
        async with http.post(f"{emu.base_url}/bot{emu.token}/{method}", json=params) as response:
            return json.loads(await response.text())

    return call


@pytest.fixture
def api(raw: Api) -> Callable[..., Awaitable[Any]]:
    """Call a method that has to succeed; its result comes back."""

    async def call(method: str, **params: Any) -> Any:
        answer = await raw(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    return call


@pytest.fixture
def refused(raw: Api) -> Callable[..., Awaitable[str]]:
    """Call a method that has to fail; its code and description come back as one string."""

    async def call(method: str, **params: Any) -> str:
        answer = await raw(method, **params)
        assert not answer["ok"], answer
        return f"{answer['error_code']} {answer['description']}"

    return call
