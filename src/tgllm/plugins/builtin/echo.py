"""Built-in provider that streams the last message back word by word, without an API key or network access.

A line of it such as ``call calculator {"expression": "2*3"}`` makes a call of that tool, if there is one; several lines
make calls at once. The next answer is what the tools have returned.
"""

import re
from collections.abc import AsyncGenerator, Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from tgllm import hookimpl
from tgllm.api.clock import Clock
from tgllm.api.context import PluginContext, PluginInfo
from tgllm.api.errors import ModelNotFound, Unsupported
from tgllm.api.events import Finished, StreamEvent, TextDelta, ToolCall
from tgllm.api.provider import Provider, ProviderSpec
from tgllm.api.types import ChatRequest, FilePart, ModelInfo, Part, TextPart, ToolCallPart, ToolResultPart, Usage

__all__ = ["EchoProvider", "Settings", "calls_in", "results_of", "tgllm_plugin_info", "tgllm_providers"]

_MODEL = "echo"
_WORDS = re.compile(r"^\s+|\S+\s*")
_CALL = re.compile(
    r"^[ \t]*(?:[^\n:]{1,80}: )?call ([A-Za-z_][A-Za-z0-9_-]{0,63})(?: *(\{.*\}))?[ \t\r]*$", re.MULTILINE
)
"""A line that calls a tool; in a group, the name of the person stands before it."""
_MOST_CALLS = 16
_MARKED = re.compile(r"\A\[[^\n]*\]\n<data (\w+)>\n(.*)\n</data \1>\s*\Z", re.DOTALL)
"""A result as it is marked for models: as data, which it is for people without the marks."""


class Settings(BaseModel):
    """Settings in ``[plugins.echo]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: float = Field(default=0.0, ge=0, le=60, allow_inf_nan=False)
    """Delay before each word but the first, in seconds."""


class EchoProvider(Provider):
    """Provider that answers with the last message, or calls the tools that it names; a word counts as one token."""

    supports_tools = True

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
        if calls := calls_in(request):
            for call in calls:
                yield call
            yield Finished("stop", Usage(input_tokens=await self.count_tokens(request), output_tokens=len(calls)))
            return
        words = _WORDS.findall("\n\n".join(results_of(request)) or request.messages[-1].text)
        answer = words[: request.max_output_tokens]
        for number, word in enumerate(answer):
            if number and self._delay:
                await self._clock.sleep(self._delay)
            yield TextDelta(word)
        usage = Usage(input_tokens=await self.count_tokens(request), output_tokens=_count(answer))
        yield Finished("stop" if len(answer) == len(words) else "length", usage)

    async def count_tokens(self, request: ChatRequest) -> int:
        """Return the number of words in the request, including the system prompt."""
        told = (_words_of(part) for message in request.messages for part in message.parts)
        defined = (f"{tool.name} {tool.description} {tool.schema}" for tool in request.tools)
        return sum(len(text.split()) for text in (request.system or "", *told, *defined))


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


def results_of(request: ChatRequest) -> Sequence[str]:
    """Return what the calls just before have returned; empty if there were none."""
    results = (part.text for part in request.messages[-1].parts if isinstance(part, ToolResultPart))
    return [_MARKED.sub(r"\2", text) for text in results]


def calls_in(request: ChatRequest) -> Sequence[ToolCall]:
    """Return the calls that the last message names; the one that is forced, if it names none."""
    choice, last = request.tool_choice, request.messages[-1]
    if not request.tools or choice == "none" or any(isinstance(part, ToolResultPart) for part in last.parts):
        return ()
    # Unique in the conversation, and the same for the same request.
    before = sum(isinstance(part, ToolCallPart) for message in request.messages for part in message.parts)
    named = [(found[1], found[2] or "{}") for found in _CALL.finditer(last.text)]
    forced = request.tools[0].name if choice == "required" else choice.removeprefix("tool:")
    if not named and choice != "auto":
        named = [(forced, "{}")]
    most = _MOST_CALLS if request.parallel_tools else 1
    return [ToolCall(f"call_{before + at}", name, text) for at, (name, text) in enumerate(named[:most], 1)]


def _words_of(part: Part) -> str:
    match part:
        case TextPart(text):
            return text
        case ToolCallPart():
            return f"{part.name} {part.arguments}"
        case ToolResultPart():
            return part.text
        case FilePart():
            return ""


def _count(words: Iterable[str]) -> int:
    return sum(1 for word in words if not word.isspace())
