"""Provider of the demo: answers its samples itself, and passes other questions on to a model."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from tgllm import hookimpl
from tgllm.api.clock import Clock
from tgllm.api.context import PluginInfo
from tgllm.api.errors import ModelNotFound
from tgllm.api.events import Finished, StreamEvent, TextDelta, ToolCall
from tgllm.api.provider import Provider, ProviderSpec
from tgllm.api.types import ChatMessage, ChatRequest, ModelInfo, TextPart, Usage
from tgllm.plugins.builtin.echo import calls_in, results_of
from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.samples.calls import CALL_SAMPLES, CallSample
from tgllm.testing.samples.samples import LABEL, SAMPLES, STORY
from tgllm.testing.scripted import GivenPlugin

__all__ = ["DemoProvider"]

_PIECE = re.compile(r"\S+\s*|\s+")
_MAX_TOKENS = 400
_STORY_TOKENS = 1000
_TEMPERATURE = 0.2
"""A tiny model strays less with it than with its default."""


class DemoProvider(Provider):
    """The provider ``demo`` with one model, and the plugin that offers it.

    A question from the samples gets their answer or their calls, with a label, and a line such as ``call clock`` makes
    that call; any other question is answered by ``inner``.
    """

    supports_tools = True

    def __init__(self, inner: Provider, inner_model: str, name: str, clock: Clock, *, delay: float = 0.0) -> None:
        """Create the provider of ``demo/<name>``.

        Args:
            inner: the provider that answers. It is not closed by this one.
            inner_model: the model's id there.
            name: the id of the model of this provider; ``echo`` for an inner provider that is no model.
            clock: the clock of the delays.
            delay: seconds between two words of a sample.
        """
        self._inner = inner
        self._inner_model = inner_model
        self._name = name
        self._clock = clock
        self._delay = delay

    @property
    def plugin(self) -> FoundPlugin:
        """The plugin, for a plugin host."""
        return GivenPlugin.of("demo", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        """Return the plugin's metadata."""
        return PluginInfo(id="demo", title="Demo", api="1.2")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        """Return the provider."""
        return (ProviderSpec("demo", "Demo", lambda _ctx: self),)

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        models = {model.id: model for model in await self._inner.list_models()}
        window = models[self._inner_model].context_window if self._inner_model in models else None
        return (ModelInfo(self._name, context_window=window),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream the answer of a sample, or of the model."""
        if request.model != self._name:
            raise ModelNotFound(f"demo has no model {request.model!r}", model=request.model)
        if calls := _calls(request):
            for call in calls:
                yield call
            yield Finished(usage=Usage(input_tokens=0, output_tokens=len(calls)))
            return
        sample = _of_results(request) or self._sample(request.messages[-1])
        events = self._inner.generate(self._plain(request)) if sample is None else self._recite(sample)
        async with aclosing(events):
            async for event in events:
                yield event

    def _sample(self, question: ChatMessage) -> str | None:
        """Return the answer to a question from the samples; None if the model answers it."""
        text = _text(question)
        return None if text == STORY.suggestion.text and self._name != "echo" else _ANSWERS.get(text)

    async def _recite(self, answer: str) -> AsyncGenerator[StreamEvent, None]:
        words = 0
        for word in _PIECE.findall(LABEL + answer.strip()):
            if words and self._delay:
                await self._clock.sleep(self._delay)
            words += 1
            yield TextDelta(word)
        yield Finished(usage=Usage(input_tokens=0, output_tokens=words))

    def _plain(self, request: ChatRequest) -> ChatRequest:
        """Return the request without the samples, which a tiny model would imitate.

        The story is requested on its own: behind short answers, a tiny model writes a short one.
        """
        *earlier, question = request.messages
        is_story = _text(question) == STORY.suggestion.text
        if is_story:
            earlier = []
        kept = [pair for pair in zip(earlier[::2], earlier[1::2], strict=False) if not _is_recited(pair[1])]
        return replace(
            request,
            model=self._inner_model,
            messages=(*(message for pair in kept for message in pair), question),
            temperature=_TEMPERATURE if request.temperature is None else request.temperature,
            tools=(),
            max_output_tokens=request.max_output_tokens or (_STORY_TOKENS if is_story else _MAX_TOKENS),
        )


def _calls(request: ChatRequest) -> Sequence[ToolCall]:
    """Return the calls of a sample, or those that the question names."""
    question = request.messages[-1]
    sample = _CALLS.get(_text(question))
    if sample is None or not sample.calls:
        return calls_in(request)
    named = replace(question, parts=(TextPart(sample.as_text),))
    return calls_in(replace(request, messages=(*request.messages[:-1], named)))


def _of_results(request: ChatRequest) -> str | None:
    """Return the answer that tells the results of calls; None if none were made."""
    results = results_of(request)
    if not results:
        return None
    question = next((message for message in reversed(request.messages) if _text(message)), request.messages[-1])
    sample = _CALLS.get(_text(question))
    return "\n\n".join([*([] if sample is None else [sample.answer]), *map(_quoted, results)])


def _quoted(result: str) -> str:
    return "\n".join(f"> {line}" for line in result.splitlines())


def _text(question: ChatMessage) -> str:
    """Return what was asked, without the bot's note about an attachment, which comes before it."""
    return question.text.strip().rpartition("\n")[2]


def _is_recited(answer: ChatMessage) -> bool:
    return answer.text.startswith(LABEL.strip())


_CALLS: Mapping[str, CallSample] = {sample.suggestion.text: sample for sample in CALL_SAMPLES}
_WITHOUT_CALLS = (*SAMPLES, *(sample for sample in CALL_SAMPLES if not sample.calls))
_ANSWERS: Mapping[str, str] = {sample.suggestion.text: sample.answer for sample in _WITHOUT_CALLS}
"""By question."""
