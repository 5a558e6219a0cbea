"""Requests to a provider with recorded answers, for tests of providers."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    Finished,
    Part,
    Provider,
    ProviderError,
    ReasoningDelta,
    TextDelta,
    TextPart,
)
from tgllm.api.events import StreamEvent

__all__ = ["Heard", "failure", "hear", "question"]


@dataclass(frozen=True, slots=True)
class Heard:
    """The recorded answer to a request."""

    events: tuple[StreamEvent, ...]

    @property
    def text(self) -> str:
        """Text of the answer."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        """Text of the reasoning."""
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def ends(self) -> tuple[Finished, ...]:
        """All Finished events."""
        return tuple(event for event in self.events if isinstance(event, Finished))

    @property
    def finished(self) -> Finished:
        """The Finished event.

        Raises:
            AssertionError: there is none.
        """
        if not self.ends:
            raise AssertionError(f"the answer has no end: there is no Finished in {self.events}")
        return self.ends[-1]


def question(model: str, *parts: str | Part, **fields: Any) -> ChatRequest:  # noqa: ANN401  fields of ChatRequest, of many types
    """Return a request with one message of these texts and files; ``fields`` are other fields of ``ChatRequest``."""
    message = ChatMessage("user", tuple(TextPart(part) if isinstance(part, str) else part for part in parts))
    return ChatRequest(model, (message,), **fields)


async def hear(provider: Provider, request: ChatRequest, *, seconds: float = 30.0) -> Heard:
    """Ask a provider, and return the complete answer; ``seconds`` is the timeout in real time.

    Raises:
        ProviderError: raised by the provider.
        AssertionError: the answer does not end before the timeout.
    """
    events: list[StreamEvent] = []
    try:
        async with asyncio.timeout(seconds):
            async for event in provider.generate(request):
                events.append(event)  # noqa: PERF401  the events are needed for the error message
    except TimeoutError as error:
        raise AssertionError(f"there is no end in {seconds:g} s; so far came {events}") from error
    return Heard(tuple(events))


async def failure(provider: Provider, request: ChatRequest, *, seconds: float = 30.0) -> ProviderError:
    """Return the error that an answer ends with; ``seconds`` is the timeout in real time.

    Raises:
        AssertionError: the answer ends without an error, or does not end in time.
    """
    try:
        heard = await hear(provider, request, seconds=seconds)
    except ProviderError as error:
        return error
    raise AssertionError(f"nothing is raised; instead came {heard.events}")
