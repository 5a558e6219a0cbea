"""A provider and its service, ready to be asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Finished,
    Part,
    Provider,
    ReasoningDelta,
    TextDelta,
    TextPart,
)
from tgllm.api.events import StreamEvent
from tgllm.plugins.owned import OwnedProvider
from tgllm.testing.conformance.checking import check
from tgllm.testing.conformance.loading import create, loaded
from tgllm.testing.conformance.recording import RecordedLog, recorded_logging
from tgllm.testing.conformance.under_test import ProviderUnderTest

__all__ = ["Heard", "Subject", "open_subject"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a request."""

    events: tuple[StreamEvent, ...]

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        """What was thought before."""
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def ends(self) -> tuple[Finished, ...]:
        """Every Finished."""
        return tuple(event for event in self.events if isinstance(event, Finished))

    @property
    def finished(self) -> Finished:
        """The end of the answer.

        Raises:
            AssertionError: it has none.
        """
        check(self.ends, f"the answer has no end: there is no Finished in {self.events}")
        return self.ends[-1]


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
        message = ChatMessage("user", tuple(TextPart(part) if isinstance(part, str) else part for part in parts))
        return replace(ChatRequest(self.service.model, (message,)), **changes)

    async def hear(self, request: ChatRequest) -> Heard:
        """The whole answer.

        Raises:
            ProviderError: what the provider raises.
            AssertionError: there is no end in time.
        """
        events: list[StreamEvent] = []
        try:
            async with asyncio.timeout(self.seconds):
                async for event in self.provider.generate(request):
                    events.append(event)  # noqa: PERF401  what came before a failure is told with it
        except TimeoutError as error:
            raise AssertionError(f"there is no end in {self.seconds:g} s; so far came {events}") from error
        return Heard(tuple(events))

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
