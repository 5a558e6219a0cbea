"""Asks a provider, and keeps all that it answers: for tests of providers."""

import asyncio
from dataclasses import dataclass
from typing import Any

from tgllm.api import ChatMessage, ChatRequest, Finished, Part, Provider, ReasoningDelta, TextDelta, TextPart
from tgllm.api.events import StreamEvent

__all__ = ["Heard", "hear", "question"]


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
        if not self.ends:
            raise AssertionError(f"the answer has no end: there is no Finished in {self.events}")
        return self.ends[-1]


def question(model: str, *parts: str | Part, **fields: Any) -> ChatRequest:  # noqa: ANN401  of ChatRequest, of many types
    """A request of one message with these texts and files; ``fields`` are further ones of ``ChatRequest``."""
    message = ChatMessage("user", tuple(TextPart(part) if isinstance(part, str) else part for part in parts))
    return ChatRequest(model, (message,), **fields)


async def hear(provider: Provider, request: ChatRequest, *, seconds: float = 30.0) -> Heard:
    """The whole answer, which may take that many real seconds.

    Raises:
        ProviderError: what the provider raises.
        AssertionError: there is no end in time.
    """
    events: list[StreamEvent] = []
    try:
        async with asyncio.timeout(seconds):
            async for event in provider.generate(request):
                events.append(event)  # noqa: PERF401  what came before a failure is told with it
    except TimeoutError as error:
        raise AssertionError(f"there is no end in {seconds:g} s; so far came {events}") from error
    return Heard(tuple(events))
