"""A provider and its service, ready to be asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tgllm.api import ChatRequest, Part, Provider
from tgllm.plugins.owned import OwnedProvider
from tgllm.testing.asking import Heard, hear, question
from tgllm.testing.conformance.loading import create, loaded
from tgllm.testing.conformance.recording import RecordedLog, recorded_logging
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["Subject", "open_subject"]


@dataclass(slots=True)
class Subject:
    """A provider and its service."""

    provider: Provider
    service: ProviderUnderTest
    owned: OwnedProvider
    log: list[str]
    """Every line that was logged."""
    seconds: float
    """How long one answer may take."""
    closed: bool = False

    @property
    def secret(self) -> str:
        """The key that must not be told to anybody; empty if the service takes none."""
        key = self.service.settings.get(self.service.key_setting)
        reveal = getattr(key, "get_secret_value", None)
        return str(reveal() if callable(reveal) else key or "")

    def ask(self, *parts: str | Part, **changes: Any) -> ChatRequest:  # noqa: ANN401  fields of ChatRequest, of many types
        """A request of one message; ``changes`` are further fields."""
        return replace(question(self.service.model, *parts), **changes)

    async def hear(self, request: ChatRequest) -> Heard:
        """The whole answer.

        Raises:
            ProviderError: what the provider raises.
            AssertionError: there is no end in time.
        """
        return await hear(self.provider, request, seconds=self.seconds)

    async def close(self) -> None:
        """Close the provider, once."""
        if not self.closed:
            self.closed = True
            async with asyncio.timeout(self.seconds):
                await self.provider.aclose()


@asynccontextmanager
async def open_subject(
    plugin: str, service: ProviderUnderTest, data_dir: Path, seconds: float
) -> AsyncGenerator[Subject]:
    """Start the service, load the plugin and create its provider; all is closed at the end."""
    log = RecordedLog()
    with recorded_logging(log.lines):
        async with service, loaded(plugin, service.settings, data_dir, log) as owned:
            subject = Subject(await create(owned), service, owned, log.lines, seconds)
            try:
                yield subject
            finally:
                await subject.close()
