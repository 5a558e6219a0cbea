"""A provider that keeps the contract, on tgllm's toolkit, and its service; each fault is a subclass."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from aiohttp import web
from faults.plugin import Settings

from tgllm.api import (
    ChatMessage,
    ChatRequest,
    FinishReason,
    JsonObject,
    ModelInfo,
    NotConfigured,
    PluginContext,
    Price,
    Provider,
    StreamEvent,
)
from tgllm.providers.failure import Failure, explain
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import encode_json
from tgllm.providers.openai_chat import Body, OpenAIChatClient
from tgllm.providers.openai_models import entries_of
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.retry import Retry
from tgllm.testing.conformance.fakes import FakeUnderTest
from tgllm.testing.fake_providers import FakeDipseek
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.dipseek_api.body import ChatBody

_PAGE = 25
_PRICE = {"input": 2.0, "output": 8.0, "cached": 0.5}

P = TypeVar("P", bound=type[Provider])


class PagedService(FakeDipseek):
    """OpenAI's format, with a list of models in pages that says what each of them can do."""

    async def _list_models(self, call: Call) -> web.StreamResponse:
        entries = [self._described(entry) for entry in self.models.values()]
        ids = [entry["id"] for entry in entries]
        after = call.request.query.get("after")
        start = ids.index(after) + 1 if after else 0
        page = entries[start : start + _PAGE]
        has_more = start + _PAGE < len(entries)
        return web.json_response({"data": page, "has_more": has_more, "last_id": page[-1]["id"]})

    def _described(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {"window": 64_000, "images": entry["id"] in self._sighted, "reasons": True, "price": _PRICE, **entry}

    def _is_forced(self, body: ChatBody) -> bool:
        # It takes a forced call while it thinks, as other services do.
        return False

    def _checked(self, raw: object) -> ChatBody:
        thinks_not = isinstance(raw, dict) and raw.get("reasoning_effort") == "none"
        return super()._checked({**raw, "reasoning_effort": None} if thinks_not else raw)


class ServiceUnderTest(FakeUnderTest[PagedService]):
    model = "deepseek-flash"
    fake_type = PagedService

    def models(self) -> Sequence[ModelInfo]:
        self.fake.models["deepseek-embedding"] = {"id": "deepseek-embedding", "type": "embedding"}
        return super().models()

    def is_chat_model(self, entry: Mapping[str, Any]) -> bool:
        return entry.get("type") != "embedding"

    def listed(self, model: str, entry: Mapping[str, Any]) -> ModelInfo:
        images = frozenset({"image/png"}) if model == self.model else frozenset[str]()
        return ModelInfo(model, context_window=64_000, mime_types=images, reasoning=True, price=Price(**_PRICE))


class GoodReader(ChatReader):
    finish_reasons: ClassVar[dict[str, FinishReason]] = ChatReader.finish_reasons

    def provider_data(self) -> JsonObject | None:
        return {"thought": "".join(self.reasoning)} if self.reasoning else None


class Good(OpenAIChatClient):
    """Keeps the contract."""

    reader = GoodReader
    supports_tools = True
    http_type: ClassVar[type[ProviderHttp]] = ProviderHttp
    retry_type: ClassVar[type[Retry]] = Retry

    def __init__(self, ctx: PluginContext) -> None:
        assert isinstance(ctx.settings, Settings)
        if ctx.settings.api_key is None:
            raise NotConfigured("set FAULTS_KEY", variable="FAULTS_KEY")
        self.ctx = ctx
        self.given = ctx.settings
        self.key = ctx.settings.api_key.get_secret_value()
        super().__init__(self.open(self.given), ctx.clock, retry=self.retry_type(ctx.clock))

    def open(self, settings: Settings) -> ProviderHttp:
        return self.http_type(
            settings.base_url,
            headers={"Authorization": f"Bearer {self.key}"},
            idle_seconds=settings.timeout_seconds,
            proxy=settings.proxy,
            explain=self.explain,
        )

    def explain(self, failure: Failure) -> Exception:
        return explain(failure)

    def message(self, message: ChatMessage, model: str) -> Body:
        body = super().message(message, model)
        thought = (message.provider_data or {}).get("thought") or ("" if "tool_calls" in body else None)
        return body if thought is None else {**body, "reasoning_content": thought}

    async def page(self, after: str | None) -> JsonObject:
        page = await self.http.get_json(self.models_path, {"after": after} if after else None)
        if entries_of(page) is None or not isinstance(page, Mapping):
            raise self.http.failure(200, encode_json(page))
        return page

    async def _entries(self) -> list[JsonObject]:
        entries, after = list[JsonObject](), None
        while True:
            page = await self.page(after)
            entries += entries_of(page) or []
            if not page.get("has_more"):
                return entries
            after = str(page["last_id"])

    def read_model(self, entry: JsonObject) -> ModelInfo | None:
        if entry.get("type") == "embedding":
            return None
        price: Any = entry["price"]
        images = frozenset({"image/png", "image/jpeg"}) if entry["images"] else frozenset[str]()
        return ModelInfo(
            str(entry["id"]),
            context_window=self.window(entry),
            mime_types=images,
            reasoning=bool(entry["reasons"]),
            price=Price(**price),
        )

    def window(self, entry: Mapping[str, Any]) -> int:
        return entry["window"]


class Changed(Good):
    """A provider whose events are changed."""

    def change(self, event: StreamEvent) -> Sequence[StreamEvent]:
        return [event]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                for changed in self.change(event):
                    yield changed


class LineHttp(ProviderHttp):
    """A client whose lines are changed."""

    def line(self, line: bytes) -> bytes | None:
        """Return what is read in place of a line; None ends the stream."""
        return line

    async def stream(self, path: str, body: Any) -> AsyncGenerator[bytes, None]:
        rest = b""
        async with aclosing(super().stream(path, body)) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if (changed := self.line(line)) is None:
                        return
                    yield changed + b"\n"
        yield rest


@dataclass(frozen=True)
class Fault:
    words: str
    test: str
    seconds: float


FAULTS: dict[str, Fault] = {}
"""By the name of the class."""
PROVIDERS: dict[str, type[Provider]] = {}


def fault(words: str, test: str, seconds: float = 5.0) -> Callable[[P], P]:
    """Register a provider with a fault, and the test of the kit that has to fail."""

    def register(provider: P) -> P:
        assert provider.__name__ not in FAULTS
        FAULTS[provider.__name__] = Fault(words, test, seconds)
        PROVIDERS[provider.__name__] = provider
        return provider

    return register


PROVIDERS["Good"] = Good
