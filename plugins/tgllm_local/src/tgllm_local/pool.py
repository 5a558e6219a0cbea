"""Loaded models: loads a model for its first question, and unloads it when it is idle."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.api.errors import ProviderError
from tgllm_local.client import LlamaClient
from tgllm_local.errors import no_memory
from tgllm_local.files import ModelFile
from tgllm_local.machine import cpu_count, default_threads, free_memory
from tgllm_local.process import ModelProcess, Order, model_process
from tgllm_local.settings import Settings

__all__ = ["LoadedModel", "Pool"]

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory: its child and the client of it."""

    process: ModelProcess
    client: LlamaClient


@dataclass(slots=True, eq=False)
class _Entry:
    file: ModelFile
    loading: "asyncio.Task[LoadedModel]"
    resources: AsyncExitStack
    users: int = 0
    last_used: float = 0.0
    idle: "asyncio.Task[None] | None" = None

    @property
    def is_lost(self) -> bool:
        """Whether loading has failed, or the child has ended."""
        if not self.loading.done():
            return False
        return self.loading.cancelled() or self.loading.exception() is not None or self.loading.result().process.ended


@dataclass(slots=True)
class Pool:
    """The loaded models of a provider. Use it from one event loop."""

    settings: Settings
    clock: Clock
    log: Log
    free: Callable[[], int | None] = free_memory
    _entries: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    _ending: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])
    """Tasks that end children."""
    _timers: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])
    """Tasks that wait until a model was idle for long enough."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _queue: dict[object, ModelFile] = field(default_factory=dict[object, ModelFile])
    """Questions that wait for a place, in the order in which they came, and their models."""
    _closed: bool = False

    @asynccontextmanager
    async def use(self, file: ModelFile) -> AsyncGenerator[LoadedModel]:
        """Wait for a free place in a loaded model, and hold it within the context.

        Raises:
            ProviderError: the model can't be loaded.
        """
        entry = await self._place(file)
        try:
            yield await self._loaded(entry)
        finally:
            self._release(entry)

    async def aclose(self) -> None:
        """End all children; a second call does nothing."""
        self._closed = True
        for entry in [*self._entries.values()]:
            self._unload(entry)
        while tasks := [*self._timers, *self._ending]:
            await asyncio.wait(tasks)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Ids of the models that are in memory or on their way there."""
        return tuple(self._entries)

    async def _place(self, file: ModelFile) -> _Entry:
        """Wait for a place in a model; earlier questions for a model that has to be loaded come first."""
        waiting = object()
        try:
            while (entry := None if self._is_preceded(waiting) else self._take(file)) is None:
                self._queue.setdefault(waiting, file)
                await self._changed.wait()
        finally:
            if self._queue.pop(waiting, None):
                self._wake()
        return entry

    def _is_preceded(self, waiting: object) -> bool:
        """Return whether an earlier question waits for a model that is not in memory.

        Otherwise such a model would wait for as long as there are questions for the loaded one.
        """
        before = itertools.takewhile(lambda item: item[0] is not waiting, self._queue.items())
        return any(self._is_missing(file) for _, file in before)

    def _is_missing(self, file: ModelFile) -> bool:
        entry = self._entries.get(file.id)
        return entry is None or entry.file != file

    async def _loaded(self, entry: _Entry) -> LoadedModel:
        try:
            # Shielded: loading goes on for others, or for the next question.
            return await asyncio.shield(entry.loading)
        except asyncio.CancelledError:
            if entry.loading.cancelled() and self._closed:
                raise _closed() from None
            raise

    def _take(self, file: ModelFile) -> _Entry | None:
        """Take a place in a model, which is loaded if it is not; None if there is none now."""
        if self._closed:
            raise _closed()
        entry = self._entries.get(file.id)
        if entry is not None and (entry.is_lost or entry.file != file):
            if entry.users and not entry.is_lost:
                return None
            self._unload(entry)
            entry = None
        if entry is None:
            if not self._make_room():
                return None
            entry = self._entries[file.id] = self._load_entry(file)
        if entry.users >= self.settings.parallel:
            return None
        entry.users += 1
        if entry.idle is not None:
            entry.idle.cancel()
        return entry

    def _make_room(self) -> bool:
        """Unload the model that was idle for longest, if there is no room; return whether there is room."""
        if len(self._entries) < self.settings.loaded_models:
            return True
        idle = [entry for entry in self._entries.values() if not entry.users]
        if not idle:
            return False
        self._unload(min(idle, key=lambda entry: entry.last_used))
        return True

    def _release(self, entry: _Entry) -> None:
        entry.users -= 1
        entry.last_used = self.clock.monotonic()
        if self._entries.get(entry.file.id) is entry:
            if entry.is_lost:
                self._unload(entry)
            elif not entry.users:
                entry.idle = _owned(self._timers, self._unload_when_idle(entry))
        self._wake()

    async def _unload_when_idle(self, entry: _Entry) -> None:
        await self.clock.sleep(self.settings.idle_seconds)
        if not entry.users and self._entries.get(entry.file.id) is entry:
            entry.idle = None
            self._unload(entry)

    def _load_entry(self, file: ModelFile) -> _Entry:
        resources = AsyncExitStack()
        loading = asyncio.create_task(self._load(file, resources), name=f"load {file.id}")
        return _Entry(file, loading, resources, last_used=self.clock.monotonic())

    async def _load(self, file: ModelFile, resources: AsyncExitStack) -> LoadedModel:
        # The memory of models on their way out is needed.
        if self._ending:
            await asyncio.wait([*self._ending])
        context = file.context(self.settings.context_tokens)
        await self._check_memory(file, context * self.settings.parallel)
        threads = self.settings.threads or default_threads(await asyncio.to_thread(cpu_count))
        key = secrets.token_urlsafe(_KEY_BYTES)
        order = Order(file.id, str(file.path.absolute()), key, context, self.settings.parallel, threads)
        started = self.clock.monotonic()
        process = await resources.enter_async_context(model_process(order, self.settings.load_seconds))
        client = LlamaClient(process.base_url, key, self.clock, self.settings.timeout_seconds)
        resources.push_async_callback(client.aclose)
        seconds = round(self.clock.monotonic() - started, 1)
        self.log.info("model.loaded", model=file.id, seconds=seconds, context=context, threads=threads)
        return LoadedModel(process, client)

    async def _check_memory(self, file: ModelFile, tokens: int) -> None:
        if not self.settings.check_memory:
            return
        need, free = file.memory(tokens), await asyncio.to_thread(self.free)
        if free is not None and need > free:
            raise no_memory(file.id, need, free)

    def _unload(self, entry: _Entry) -> None:
        if self._entries.get(entry.file.id) is entry:
            del self._entries[entry.file.id]
        if entry.idle is not None:
            entry.idle.cancel()
        _owned(self._ending, self._end(entry))
        self._wake()

    async def _end(self, entry: _Entry) -> None:
        entry.loading.cancel()
        await asyncio.wait({entry.loading})
        error = None if entry.loading.cancelled() else entry.loading.exception()
        if error is not None and not isinstance(error, ProviderError):
            self.log.error("model.load_failed", model=entry.file.id, error=repr(error))
        await entry.resources.aclose()
        self.log.info("model.unloaded", model=entry.file.id)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _owned(tasks: "set[asyncio.Task[None]]", work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _closed() -> ProviderError:
    return ProviderError("the provider is closed")
