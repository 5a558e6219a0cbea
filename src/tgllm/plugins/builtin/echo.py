"""Built-in provider that streams the last message back word by word, without an API key or network access."""

import re
from collections.abc import AsyncGenerator, Iterable

from pydantic import BaseModel, ConfigDict, Field

from tgllm import hookimpl
from tgllm.api.clock import Clock
from tgllm.api.context import PluginContext, PluginInfo
from tgllm.api.errors import ModelNotFound, Unsupported
from tgllm.api.events import Finished, StreamEvent, TextDelta
from tgllm.api.provider import Provider, ProviderSpec
from tgllm.api.types import ChatRequest, FilePart, ModelInfo, Usage

__all__ = ["EchoProvider", "Settings", "tgllm_plugin_info", "tgllm_providers"]

_MODEL = "echo"
_WORDS = re.compile(r"^\s+|\S+\s*")


class Settings(BaseModel):
    """Settings in ``[plugins.echo]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: float = Field(default=0.0, ge=0, le=60, allow_inf_nan=False)
    """Delay before each word but the first, in seconds."""


class EchoProvider(Provider):
    """Provider that answers with the last message; a word counts as one token."""

    def __init__(self, clock: Clock, delay: float = 0.0) -> None:
        """Create the provider; ``delay`` is the delay before each word but the first, in seconds."""
        self._clock = clock
        self._delay = delay

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the only model."""
        return (ModelInfo(id=_MODEL, title="Echo"),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream the last message back, truncated to ``max_output_tokens`` words."""
        _refuse(request)
        words = _WORDS.findall(request.messages[-1].text)
        answer = words[: request.max_output_tokens]
        for number, word in enumerate(answer):
            if number and self._delay:
                await self._clock.sleep(self._delay)
            yield TextDelta(word)
        usage = Usage(input_tokens=await self.count_tokens(request), output_tokens=_count(answer))
        yield Finished("stop" if len(answer) == len(words) else "length", usage)

    async def count_tokens(self, request: ChatRequest) -> int:
        """Return the number of words in the request, including the system prompt."""
        texts = (request.system or "", *(message.text for message in request.messages))
        return sum(len(text.split()) for text in texts)


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's id, title and settings model."""
    return PluginInfo(id="echo", title="Echo", api="1.0", settings=Settings)


@hookimpl
def tgllm_providers() -> tuple[ProviderSpec, ...]:
    """Return the provider ``echo``."""
    return (ProviderSpec(id="echo", title="Echo", create=_create),)


def _create(ctx: PluginContext) -> Provider:
    settings = ctx.settings
    return EchoProvider(ctx.clock, settings.delay if isinstance(settings, Settings) else 0.0)


def _refuse(request: ChatRequest) -> None:
    if request.model != _MODEL:
        raise ModelNotFound(f"echo has no model {request.model!r}", model=request.model)
    if any(isinstance(part, FilePart) for part in request.messages[-1].parts):
        raise Unsupported("echo reads no files")


def _count(words: Iterable[str]) -> int:
    return sum(1 for word in words if not word.isspace())
