"""The bot as a process of its own, between an emulated Telegram and a fake of a provider's API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engines import Engine
from tgllm.testing.fake_providers import FakeDipseek, FakeGemini, FakeMistral, FakeServer


@dataclass(frozen=True, slots=True)
class Api:
    """One of the services, and how the bot is set up for it."""

    provider: str
    model: str
    fake: type[FakeServer]
    variable: str
    replays: str = "Two and two, let me see."
    """What of an answer with this reasoning goes back to the service with the next question."""

    @property
    def ref(self) -> str:
        return f"{self.provider}/{self.model}"

    def settings(self, fake: FakeServer) -> dict[str, str]:
        return {
            self.variable: fake.key,
            f"TGLLM_PLUGINS__{self.provider.upper()}__BASE_URL": fake.base_url,
            "TGLLM_DEFAULT_MODEL": self.ref,
        }


APIS = [
    Api("dipseek", "deepseek-flash", FakeDipseek, "DEEPSEEK_API_KEY"),
    Api("gemini", "gemini-3.8-flash", FakeGemini, "GEMINI_API_KEY", "thoughtSignature"),
    Api("mistral", "mistral-medium-3-5", FakeMistral, "MISTRAL_API_KEY"),
]


@pytest.fixture(params=APIS, ids=[api.provider for api in APIS])
def api(request: pytest.FixtureRequest) -> Api:
    return request.param


@pytest.fixture
async def fake(api: Api) -> AsyncIterator[FakeServer]:
    async with api.fake() as fake:
        yield fake


@pytest.fixture
def stored(tmp_path: Path, engine: Engine) -> Callable[[str], Awaitable[list[dict[str, Any]]]]:
    """The rows that a query finds in the bot's database."""

    def look(query: str) -> list[dict[str, Any]]:
        with engine.connected(tmp_path / "data" / "tgllm.db") as conn:
            return [dict(zip(row.keys(), row, strict=True)) for row in conn.execute(query)]

    async def rows(query: str) -> list[dict[str, Any]]:
        return await asyncio.to_thread(look, query)

    return rows
