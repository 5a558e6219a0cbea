"""The provider with a fake of llama.cpp's server in place of a child."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llama_support import FakeLlama, write_model
from tgllm.api import ProviderError
from tgllm_local import plugin, pool
from tgllm_local.process import Order


@dataclass(eq=False)
class FakeProcess:
    """A child that never ran."""

    order: Order
    base_url: str
    pid: int = 0
    ended: bool = False
    reason: ProviderError | None = None
    stopped: bool = False

    async def death(self) -> ProviderError | None:
        return self.reason

    def die(self, reason: ProviderError) -> None:
        self.ended, self.reason = True, reason


@dataclass
class Children:
    """Stands in for ``model_process``: every child serves at the fake."""

    base_url: str = "http://127.0.0.1:9"
    started: list[FakeProcess] = field(default_factory=list[FakeProcess])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Loading waits for it; set by default."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the first child starts."""
    failure: ProviderError | None = None
    """The error of every load."""

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def running(self) -> list[str]:
        return [child.order.model for child in self.started if not child.stopped]

    @asynccontextmanager
    async def process(self, order: Order, load_seconds: float) -> AsyncGenerator[FakeProcess]:
        child = FakeProcess(order, self.base_url)
        self.started.append(child)
        self.begun.set()
        try:
            await self.gate.wait()
            if self.failure is not None:
                raise self.failure
            yield child
        finally:
            child.stopped = True


@pytest.fixture
async def fake() -> AsyncIterator[FakeLlama]:
    async with FakeLlama() as server:
        yield server


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    children = Children()
    monkeypatch.setattr(pool, "model_process", children.process)
    monkeypatch.setattr(plugin, "find_spec", lambda _name: object())
    return children


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the model ``tiny``, which calls tools."""
    write_model(tmp_path / "models" / "tiny.gguf", tokenizer__chat_template="{{ messages }}{{ tools }}")
    return tmp_path / "models"
