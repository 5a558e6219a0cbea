"""A plugin of the llm package with models that do what a test orders, one of each form."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

import llm
from llm.parts import StreamEvent
from llm.plugins import load_plugins, pm

from tgllm.api import Usage

__all__ = ["STALL", "LocalPlugin", "StatusError", "local_plugin", "thought"]

# Here, since it takes longer than an answer may.
load_plugins()

STALL = object()


class StatusError(Exception):
    """An error of a service as the vendors' libraries raise it."""

    def __init__(self, status: int, message: str, code: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"Error code: {status} - {message}")
        self.status_code = status
        self.body = {"message": message, "code": code, "type": "api_error"}
        self.response = SimpleNamespace(status_code=status, headers=headers or {}, text="")


@dataclass
class Order:
    """An answer: events of llm, texts, exceptions to raise, or a stall."""

    steps: Sequence[Any]
    usage: Usage | None = None
    response_json: dict[str, Any] | None = None


@dataclass
class LocalPlugin:
    """The plugin, and what its models are asked."""

    prompts: list[Any] = field(default_factory=list)
    conversations: list[Any] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    orders: deque[Order] = field(default_factory=deque)
    failure: Callable[[], Exception] | None = None
    skip: int = 0
    """Questions before the failure."""
    open_streams: int = 0
    more: int = 0
    """Models beside those that are always there."""
    extra: Sequence[tuple[Any, Any]] = ()
    """Further models, in both forms."""
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def models(self) -> dict[str, Any]:
        """A model of each form."""
        return {"sync": _Sync("sync", self), "async": _Async("async", self)}

    def order(self, *steps: Any, usage: Usage | None = None, response_json: dict[str, Any] | None = None) -> None:
        """Set the next answer."""
        self.orders.append(Order(steps, usage, response_json))

    @llm.hookimpl
    def register_models(self, register: Any) -> None:
        """Register a model in both forms, one in each form alone, and one that needs a key."""
        register(_Sync("both", self), _Async("both", self), aliases=["b", "both2"])
        register(_Sync("sync", self))
        register(None, _Async("async", self))
        register(_Keyed("keyed", self), _AsyncKeyed("keyed", self))
        register(_Keyed("keyed-sync", self))
        for number in range(self.more):
            register(None, _Async(f"more-{number}", self))
        for sync, asynchronous in self.extra:
            register(sync, asynchronous)

    def begin(self, prompt: Any, conversation: Any, response: Any, key: str | None) -> Sequence[Any]:
        """Note a question, and return the steps of its answer."""
        self.prompts.append(prompt)
        self.conversations.append(conversation)
        self.keys.append(key)
        self.skip -= 1
        if self.failure and self.skip < 0:
            raise self.failure()
        if not self.orders:
            self.order(prompt.prompt)
        order = self.orders.popleft()
        if order.usage:
            details = {"cached_tokens": order.usage.cached_tokens, "reasoning_tokens": order.usage.reasoning_tokens}
            given = {name: value for name, value in details.items() if value is not None}
            response.set_usage(input=order.usage.input_tokens, output=order.usage.output_tokens, details=given)
        response.response_json = order.response_json
        return order.steps


class _Base:
    can_stream = True
    attachment_types = frozenset({"image/png", "image/jpeg"})

    class Options(llm.Options):
        temperature: float | None = None
        max_tokens: int | None = None
        reasoning_effort: Literal["low", "medium", "high", "none"] | None = None

    def __init__(self, model_id: str, plugin: LocalPlugin) -> None:
        self.model_id = model_id
        self.plugin = plugin


class _Sync(_Base, llm.Model):
    def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any = None, key: str | None = None
    ) -> Iterator[Any]:
        steps = self.plugin.begin(prompt, conversation, response, key)
        self.plugin.open_streams += 1
        try:
            for step in steps:
                if step is STALL:
                    self.plugin.closing.wait(60)
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.plugin.open_streams -= 1


class _Async(_Base, llm.AsyncModel):
    async def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any = None, key: str | None = None
    ) -> AsyncGenerator[Any, None]:
        steps = self.plugin.begin(prompt, conversation, response, key)
        self.plugin.open_streams += 1
        try:
            for step in steps:
                if step is STALL:
                    await asyncio.Event().wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
                    await asyncio.sleep(0)
        finally:
            self.plugin.open_streams -= 1


class _Keyed(_Base, llm.KeyModel):
    needs_key = "local"
    key_env_var = "LOCAL_MODELS_KEY"
    execute = _Sync.execute


class _AsyncKeyed(_Base, llm.AsyncKeyModel):
    needs_key = "local"
    key_env_var = "LOCAL_MODELS_KEY"
    execute = _Async.execute


@contextmanager
def local_plugin() -> Iterator[LocalPlugin]:
    """Register the plugin within the context."""
    plugin = LocalPlugin()
    pm.register(plugin, name="local-models")
    try:
        yield plugin
    finally:
        plugin.closing.set()
        pm.unregister(name="local-models")


def thought(text: str) -> StreamEvent:
    """Return a piece of reasoning."""
    return StreamEvent(type="reasoning", chunk=text)
