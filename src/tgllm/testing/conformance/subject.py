"""A created provider with its running service."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from tgllm.api import ChatRequest, Part, Provider, ProviderError, StreamEvent
from tgllm.plugins.owned import OwnedProvider
from tgllm.testing.asking import Heard, failure, hear, question
from tgllm.testing.clock import HurriedClock
from tgllm.testing.conformance.loading import create, loaded
from tgllm.testing.conformance.recording import RecordedLog, recorded_logging
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["Subject", "open_provider", "open_subject", "secret_of"]


@dataclass(slots=True)
class Subject:
    """A provider and its service, for one test."""

    provider: Provider
    service: ProviderUnderTest
    owned: OwnedProvider
    log: list[str]
    """All lines that were logged."""
    seconds: float
    """Timeout of an answer."""
    clock: HurriedClock = field(default_factory=HurriedClock)
    """The plugin's clock."""
    closed: bool = False

    @property
    def secret(self) -> str:
        """Return the key, which must not be leaked; empty if the service takes none."""
        return secret_of(self.service)

    def ask(self, *parts: str | Part, **changes: Any) -> ChatRequest:  # noqa: ANN401  fields of ChatRequest, of many types
        """Return a request with one message; ``changes`` are other fields of the request."""
        return replace(question(self.service.model, *parts), **changes)

    async def hear(self, request: ChatRequest) -> Heard:
        """Ask the provider, and return the complete answer.

        Raises:
            ProviderError: raised by the provider.
            AssertionError: the answer does not end before the timeout.
        """
        return await hear(self.provider, request, seconds=self.seconds)

    async def listen(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Ask the provider, and yield the events one by one, also those before an error.

        Raises:
            ProviderError: raised by the provider.
            TimeoutError: the answer does not end before the timeout.
        """
        async with asyncio.timeout(self.seconds), aclosing(self.provider.generate(request)) as events:
            async for event in events:
                yield event

    async def failure(self) -> ProviderError:
        """Ask for an answer, and return the error that it ends with.

        Raises:
            AssertionError: the answer ends without an error, or does not end in time.
        """
        return await failure(self.provider, self.ask("Hello"), seconds=self.seconds)

    async def close(self) -> None:
        """Close the provider, if it is not closed yet."""
        if not self.closed:
            self.closed = True
            async with asyncio.timeout(self.seconds):
                await self.provider.aclose()


def secret_of(service: ProviderUnderTest) -> str:
    """Return the key in the settings of a service; empty if it takes none."""
    key: object = service.settings
    for name in service.key_setting.split("."):
        key = cast("Any", key).get(name) if isinstance(key, Mapping) else None
    reveal = getattr(key, "get_secret_value", None)
    return str(reveal() if callable(reveal) else key or "")


@asynccontextmanager
async def open_subject(
    plugin: str, service: ProviderUnderTest, data_dir: Path, seconds: float
) -> AsyncGenerator[Subject]:
    """Start the service, load the plugin and create its provider; close all of them at the end."""
    async with service, open_provider(plugin, service, service.settings, data_dir, seconds) as subject:
        yield subject


@asynccontextmanager
async def open_provider(
    plugin: str, service: ProviderUnderTest, settings: Mapping[str, object], data_dir: Path, seconds: float
) -> AsyncGenerator[Subject]:
    """Load the plugin with these settings for a running service, and create its provider; close it at the end."""
    log, clock = RecordedLog(), HurriedClock()
    with recorded_logging(log.lines):
        async with loaded(plugin, settings, data_dir, log, clock) as owned:
            subject = Subject(await create(owned), service, owned, log.lines, seconds, clock)
            try:
                yield subject
            finally:
                await subject.close()
