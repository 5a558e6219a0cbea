"""Provider of the models in GGUF files on this machine."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.context import Check, Log
from tgllm.api.errors import BadResponse, ModelNotFound, Unavailable, Unsupported
from tgllm.api.events import StreamEvent, Waiting
from tgllm.api.provider import Provider
from tgllm.api.types import ChatRequest, ModelInfo
from tgllm.providers.retry import Retry
from tgllm_local.errors import bad_file, no_memory, no_models
from tgllm_local.files import Files, ModelFile, find_files
from tgllm_local.machine import free_memory
from tgllm_local.pool import LoadedModel, Pool
from tgllm_local.settings import Settings

__all__ = ["LocalProvider"]

_NEWS_SECONDS = 10.0
"""Time between two events while a question waits, so that the bot's idle timeout does not end it."""


class LocalProvider(Provider):
    """Runs models by llama.cpp, each in a child process of its own."""

    supports_tools: ClassVar[bool] = True

    def __init__(self, settings: Settings, place: Path, clock: Clock, log: Log) -> None:
        """Create the provider of the models in ``place``, a file or a folder; nothing is loaded yet."""
        self._settings = settings
        self._place = place
        self._pool = Pool(settings, clock, log)
        self._retry = Retry(clock)

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the models of the folder as it is now.

        Raises:
            NotConfigured: there is none.
            ModelNotFound: no file there can be used.
        """
        files = await self._files()
        return [file.info(self._settings.context_tokens) for file in files.models.values()]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer; the model is loaded first if it is not in memory."""
        file = await self._file(request.model)
        if request.tools and not file.tools:
            raise Unsupported(f"the chat template of {file.id} has no tools", code="tools_unsupported")
        async with aclosing(self._retry.stream(lambda: self._attempt(file, request))) as events:
            async for event in events:
                yield event

    async def doctor(self) -> Sequence[Check]:
        """Check the files, and the memory for each model."""
        files, free = await self._files(), await asyncio.to_thread(free_memory)
        broken = [Check(f"Local: {name}", "warning", str(bad_file(name, why))) for name, why in files.problems.items()]
        return [*broken, *(self._memory(file, free) for file in files.models.values())]

    async def aclose(self) -> None:
        """Unload all models."""
        await self._pool.aclose()

    async def _attempt(self, file: ModelFile, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        async with _entering(self._pool.use(file)) as entering:
            while not (await asyncio.wait({entering}, timeout=_NEWS_SECONDS))[0]:
                yield Waiting("queue")
            model = entering.result()
            try:
                async with aclosing(model.client.generate(request)) as events:
                    async for event in events:
                        yield event
            except (Unavailable, BadResponse) as error:
                if reason := await model.process.death():
                    raise reason from error
                raise

    async def _files(self) -> Files:
        files = await asyncio.to_thread(find_files, self._place)
        if not files.models:
            for name, reason in files.problems.items():
                raise bad_file(name, reason)
            raise no_models(self._place)
        return files

    async def _file(self, model: str) -> ModelFile:
        files = await self._files()
        if model in files.models:
            return files.models[model]
        if model in files.problems:
            raise bad_file(model, files.problems[model])
        raise ModelNotFound(f"there is no model {model!r} in {self._place}", model=model)

    def _memory(self, file: ModelFile, free: int | None) -> Check:
        tokens = file.context(self._settings.context_tokens) * self._settings.parallel
        need = file.memory(tokens)
        if free is not None and need > free:
            return Check(f"Local: {file.id}", "warning", str(no_memory(file.id, need, free)))
        return Check(f"Local: {file.id}", "ok", f"needs about {need // 2**20} MB of memory")


@asynccontextmanager
async def _entering(
    context: AbstractAsyncContextManager[LoadedModel],
) -> "AsyncGenerator[asyncio.Task[LoadedModel]]":
    """Enter a context in a task, so that the caller can do something else meanwhile; leave it at the end."""
    async with AsyncExitStack() as stack:
        entering = asyncio.create_task(stack.enter_async_context(context), name="wait for a model")
        try:
            yield entering
        finally:
            entering.cancel()
            await asyncio.wait({entering})
