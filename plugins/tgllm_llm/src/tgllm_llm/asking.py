"""Questions to models of llm. Importing this loads llm."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import llm

from tgllm.api.context import Log
from tgllm.api.errors import ModelNotFound, ProviderError, Unavailable
from tgllm.api.events import Finished, ReasoningDelta, StreamEvent, TextDelta, Waiting
from tgllm.api.types import ChatRequest
from tgllm.providers.failure import incomplete
from tgllm.providers.json_values import unexpected
from tgllm_llm.errors import explained
from tgllm_llm.installed_llm import Library, stored_key
from tgllm_llm.listing import Listed
from tgllm_llm.options import options_for
from tgllm_llm.question import ask, replayed
from tgllm_llm.settings import Settings
from tgllm_llm.threads import Threads
from tgllm_llm.usage import finish_reason, is_cut, usage_of

__all__ = ["Asking"]


class Asking:
    """Asks models. Asynchronous ones are preferred; the others are read in threads."""

    def __init__(self, settings: Settings, log: Log) -> None:
        """Load the plugins of llm. Blocks, for seconds."""
        self._settings = settings
        self._library = Library(log, settings.models)
        self._library.load()
        self._threads = Threads(settings.threads)

    async def models(self) -> Sequence[Listed]:
        """Return the models of all plugins.

        Raises:
            ProviderError: there is none, since plugins can't be loaded.
        """
        return await asyncio.to_thread(lambda: [entry.listed() for entry in self._library.read()])

    async def find(self, name: str) -> Any:  # noqa: ANN401  llm's models
        """Return a model by its id or alias.

        Raises:
            ModelNotFound: there is none.
        """
        entry = self._library.find(name)
        if entry is None:
            await asyncio.to_thread(self._library.read)
            entry = self._library.find(name)
        if entry is None:
            raise ModelNotFound(f"no plugin of llm has the model {name}; `llm models` lists them")
        return entry.model

    async def answer(self, model: Any, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:  # noqa: ANN401  llm's models
        """Ask a model once.

        Raises:
            ProviderError: the question is refused, or the answer has failed.
        """
        question = await ask(
            model, request, options_for(model, request, self._settings.options.get(model.model_id, {}))
        )
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
                    if not isinstance(event.chunk, str | None):
                        raise unexpected(f"the {event.type} of an event", "text", event.chunk)
                    if event.chunk and event.type == "text":
                        yield TextDelta(event.chunk)
                    elif event.chunk and event.type == "reasoning":
                        yield ReasoningDelta(event.chunk)
            yield await _finished(response, is_async=is_async)
        except Exception as error:  # noqa: BLE001  of any plugin and any library
            # Raised outside of this block: what the plugin has raised may contain the key.
            problem = explained(error, model, [key or stored_key(model)])
        if problem is not None:
            raise problem

    async def aclose(self) -> None:
        """Stop the answers of synchronous models; the others are closed with their answers."""
        await self._threads.aclose()

    async def _next(self, events: Any) -> Any:  # noqa: ANN401  llm's events
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return await anext(events, None)
        except TimeoutError:
            raise Unavailable(f"nothing has come for {self._settings.timeout_seconds:g} s") from None


async def _finished(response: Any, *, is_async: bool) -> Finished:  # noqa: ANN401  llm's responses
    """Return the end of an answer that was read to its end."""
    usage = await response.usage() if is_async else response.usage()
    messages = await response.messages() if is_async else response.messages()
    if is_cut(response.response_json):
        raise incomplete(str(response.model.model_id), has_begun=bool(messages))
    return Finished(finish_reason(response.response_json) or "stop", usage_of(usage), replayed(messages))
