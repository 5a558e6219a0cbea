"""Provider with scripted answers and recorded requests."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tgllm import hookimpl
from tgllm.api import (
    ChatRequest,
    Finished,
    Json,
    ModelInfo,
    PluginInfo,
    Provider,
    ProviderSpec,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolResultPart,
)
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["GivenPlugin", "ScriptedProvider", "Step", "calling"]

Step: TypeAlias = str | StreamEvent | Exception | asyncio.Event
"""A step of an answer: a text, an event, an exception to raise, or an event to wait for."""


@dataclass(frozen=True, slots=True, order=True)
class GivenPlugin(FoundPlugin):
    """A plugin that is an object instead of an installed package."""

    given: object = None

    @property
    def module(self) -> str:
        """Name of the module of the object's class."""
        return type(self.given).__module__

    def load(self) -> object:
        """Return the object."""
        return self.given

    @classmethod
    def of(cls, plugin_id: str, given: object) -> "GivenPlugin":
        """Return an object with hook implementations as the plugin ``plugin_id``."""
        return cls(plugin_id, package=f"given-{plugin_id}", version="0", value="", given=given)


def calling(tool: str, **arguments: Json) -> ToolCall:
    """Return the step of an answer that calls a tool."""
    return ToolCall(f"call_{tool}", tool, json.dumps(arguments))


class ScriptedProvider(Provider):
    """The provider ``scripted`` with the model ``scripted/model``, and the plugin that offers it.

    Each answer is used once, in the order of ``answer`` calls; without one, the answer is the question. A Finished
    event is added at the end if it is missing. An answer with ``calling`` among its steps calls tools.
    """

    def __init__(self, *, tools: bool = False) -> None:
        """Create a provider without answers; ``tools``: whether its model can call tools."""
        self.supports_tools = tools  # pyright: ignore[reportAttributeAccessIssue]  a ClassVar that differs by test
        self.requests: list[ChatRequest] = []
        """All requests in order."""
        self.open_streams = 0
        """Number of answers that have started and are neither complete nor closed."""
        self._answers: deque[Sequence[Step]] = deque()

    def answer(self, *steps: Step) -> None:
        """Add an answer to the queue."""
        self._answers.append(steps)

    @property
    def offered(self) -> list[str]:
        """Names of the tools in the last request."""
        return [tool.name for tool in self.requests[-1].tools]

    @property
    def results(self) -> list[ToolResultPart]:
        """Results of all calls in the last request."""
        parts = (part for message in self.requests[-1].messages for part in message.parts)
        return [part for part in parts if isinstance(part, ToolResultPart)]

    @property
    def questions(self) -> list[str]:
        """Text of the last message of each request, in order."""
        return [request.messages[-1].text for request in self.requests]

    @property
    def told(self) -> list[str]:
        """Texts of all messages of the last request: the history and the question."""
        return [message.text for message in self.requests[-1].messages]

    @property
    def plugin(self) -> GivenPlugin:
        """The plugin, for a plugin host."""
        return GivenPlugin.of("scripted", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        """Return the plugin's metadata."""
        return PluginInfo(id="scripted", title="Scripted", api="1.0")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        """Return the provider."""
        return (ProviderSpec("scripted", "Scripted", lambda _ctx: self),)

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        return (ModelInfo("model"),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the next answer."""
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
