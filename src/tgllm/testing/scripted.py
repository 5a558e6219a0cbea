"""A provider that does what a test tells it to, and remembers what it was asked."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tgllm import hookimpl
from tgllm.api import (
    ChatRequest,
    Finished,
    ModelInfo,
    PluginInfo,
    Provider,
    ProviderSpec,
    StreamEvent,
    TextDelta,
)
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["GivenPlugin", "ScriptedProvider", "Step"]

Step: TypeAlias = str | StreamEvent | Exception | asyncio.Event
"""What happens next in an answer: text comes, an event comes, an error is raised, or a signal is waited for."""


@dataclass(frozen=True, slots=True, order=True)
class GivenPlugin(FoundPlugin):
    """A plugin that is at hand as an object instead of being installed."""

    given: object = None

    def load(self) -> object:
        """The object."""
        return self.given

    @classmethod
    def of(cls, plugin_id: str, given: object) -> "GivenPlugin":
        """Announce an object with hook implementations as the plugin ``plugin_id``."""
        return cls(plugin_id, package=f"given-{plugin_id}", version="0", value="", given=given)


class ScriptedProvider(Provider):
    """The provider ``scripted`` with the model ``scripted/model``, and the plugin that offers it.

    Answers are used up in the order in which they were given; without one, the question comes back. An answer without
    a Finished event gets one at its end.
    """

    def __init__(self) -> None:
        """Know no answer yet."""
        self.requests: list[ChatRequest] = []
        """What was asked, in order."""
        self.open_streams = 0
        """Answers that have begun and neither ended nor were closed."""
        self._answers: deque[Sequence[Step]] = deque()

    def answer(self, *steps: Step) -> None:
        """Give the next answer."""
        self._answers.append(steps)

    @property
    def questions(self) -> list[str]:
        """The text of the last message of each request, in order."""
        return [request.messages[-1].text for request in self.requests]

    @property
    def told(self) -> list[str]:
        """The texts of all messages of the last request: the history, and the question at its end."""
        return [message.text for message in self.requests[-1].messages]

    @property
    def plugin(self) -> GivenPlugin:
        """What a host is given to find this provider."""
        return GivenPlugin.of("scripted", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        """Say what the plugin is."""
        return PluginInfo(id="scripted", title="Scripted", api="1.0")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        """Offer the provider."""
        return (ProviderSpec("scripted", "Scripted", lambda _ctx: self),)

    async def list_models(self) -> Sequence[ModelInfo]:
        """The one model."""
        return (ModelInfo("model"),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Play the next answer."""
        self.requests.append(request)
        steps = self._answers.popleft() if self._answers else (request.messages[-1].text,)
        self.open_streams += 1
        try:
            for step in steps:
                match step:
                    case str():
                        yield TextDelta(step)
                    case Exception():
                        raise step
                    case asyncio.Event():
                        await step.wait()
                    case _:
                        yield step
            if not (steps and isinstance(steps[-1], Finished)):
                yield Finished()
        finally:
            self.open_streams -= 1
