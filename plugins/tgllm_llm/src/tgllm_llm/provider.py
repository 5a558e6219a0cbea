"""Provider of all models that the plugins of llm have."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import llm

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.api.errors import ModelNotFound, ProviderError, Unavailable
from tgllm.api.events import Finished, ReasoningDelta, StreamEvent, TextDelta, Waiting
from tgllm.api.provider import Provider
from tgllm.api.types import ChatRequest, ModelInfo, Price
from tgllm.providers.failure import incomplete
from tgllm.providers.retry import Retry
from tgllm.providers.streams.waiting import with_news
from tgllm_llm.errors import explained, no_key
from tgllm_llm.library import Entry, Library
from tgllm_llm.options import can_reason, options_for
from tgllm_llm.question import ask, replayed
from tgllm_llm.settings import Settings
from tgllm_llm.threads import Threads
from tgllm_llm.usage import finish_reason, is_cut, usage_of

__all__ = ["LlmProvider"]


class LlmProvider(Provider):
    """Asks models by llm's library. Asynchronous models are preferred; the others are read in threads."""

    def __init__(self, settings: Settings, clock: Clock, log: Log) -> None:
        """Create the provider, and load the plugins of llm; nothing is sent yet."""
        if settings.user_path:
            # The only way to tell llm, which looks for it in each call.
            os.environ["LLM_USER_PATH"] = str(Path(settings.user_path).expanduser())
        self._settings = settings
        self._library = Library(log, settings.models)
        self._library.load()
        # Most of the vendors' libraries try again by themselves.
        self._retry = Retry(clock, attempts=2)
        self._threads = Threads(settings.threads)

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the models of all plugins, without those whose key is missing.

        Raises:
            NotConfigured: all keys are missing.
            ProviderError: there is none, since plugins can't be loaded.
        """
        return [self._info(entry) for entry in await asyncio.to_thread(self._usable)]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer."""
        entry = self._library.find(request.model)
        if entry is None:
            await asyncio.to_thread(self._library.read)
            entry = self._library.find(request.model)
        if entry is None:
            raise ModelNotFound(f"no plugin of llm has the model {request.model}; `llm models` lists them")
        model = entry.model
        options = options_for(model, request, self._settings.options.get(entry.id, {}))
        async with aclosing(self._retry.stream(lambda: self._attempt(model, request, options))) as events:
            async for event in with_news(events):
                yield event

    async def aclose(self) -> None:
        """Stop the answers of synchronous models; llm's own clients are closed with their answers."""
        await self._threads.aclose()

    def _usable(self) -> Sequence[Entry]:
        """Read the models, and return those with their keys, and those that the settings name."""
        found = self._library.read()
        usable = [entry for entry in found if entry.id in self._settings.models or self._has_key(entry.model)]
        if found and not usable:
            raise no_key(found[0].model)
        return usable

    def _has_key(self, model: Any) -> bool:  # noqa: ANN401  llm's models
        return not model.needs_key or model.needs_key in self._settings.keys or bool(_stored_key(model))

    async def _attempt(self, model: Any, request: ChatRequest, options: Any) -> AsyncGenerator[StreamEvent, None]:  # noqa: ANN401  llm's models and options
        question = await ask(model, request, options)
        given = self._settings.keys.get(model.needs_key or "")
        key = given.get_secret_value() if given else None
        problem: ProviderError | None = None
        is_async = isinstance(model, llm.AsyncModel | llm.AsyncKeyModel)
        kind = llm.AsyncResponse if is_async else llm.Response
        try:
            response: Any = kind(question.prompt, model, model.can_stream, question.conversation, key)
            if not is_async and self._threads.is_full:
                yield Waiting("queue")
            events = response.astream_events() if is_async else self._threads.read(response.stream_events)
            async with aclosing(events):
                while (event := await self._next(events)) is not None:
                    if event.chunk and event.type == "text":
                        yield TextDelta(event.chunk)
                    elif event.chunk and event.type == "reasoning":
                        yield ReasoningDelta(event.chunk)
            yield await _finished(response, is_async=is_async)
        except Exception as error:  # noqa: BLE001  of any plugin and any library
            # Raised outside of this block: what the plugin has raised may contain the key.
            problem = explained(error, model, [key or _stored_key(model)])
        if problem is not None:
            raise problem

    async def _next(self, events: Any) -> Any:  # noqa: ANN401  llm's events
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return await anext(events, None)
        except TimeoutError:
            raise Unavailable(f"nothing has come for {self._settings.timeout_seconds:g} s") from None

    def _info(self, entry: Entry) -> ModelInfo:
        model, price = entry.model, self._settings.prices.get(entry.id)
        return ModelInfo(
            entry.id,
            context_window=self._settings.context_window,
            mime_types=frozenset(kind for kind in model.attachment_types if "/" in kind),
            reasoning=can_reason(model),
            aliases=entry.aliases,
            price=Price(price.input, price.output, price.cached, price.as_of) if price else None,
        )


async def _finished(response: Any, *, is_async: bool) -> Finished:  # noqa: ANN401  llm's responses
    """Return the end of an answer that was read to its end."""
    usage = await response.usage() if is_async else response.usage()
    messages = await response.messages() if is_async else response.messages()
    if is_cut(response.response_json):
        raise incomplete(str(response.model.model_id), has_begun=bool(messages))
    return Finished(finish_reason(response.response_json) or "stop", usage_of(usage), replayed(messages))


def _stored_key(model: Any) -> str:  # noqa: ANN401  llm's models
    """Return the key that llm uses for a model; empty if it takes none."""
    try:
        return str(model.get_key() or "")
    except llm.ModelError:
        return ""
