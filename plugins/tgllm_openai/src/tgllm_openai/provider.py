"""Provider of a service with OpenAI's format, by its preset and settings."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.errors import ProviderError, Unsupported
from tgllm.api.events import StreamEvent
from tgllm.api.types import ChatMessage, ChatRequest, Json, JsonObject, ModelInfo, Price
from tgllm.providers.attachments import IMAGE_TYPES
from tgllm.providers.capabilities import load_capabilities
from tgllm.providers.failure import explain
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import Body, OpenAIChatClient, given
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.prices import load_prices
from tgllm.providers.streams.waiting import with_news
from tgllm_openai.loading import explain_local, patiently
from tgllm_openai.local import LocalServer
from tgllm_openai.models import chosen, is_named, read_entry, undated
from tgllm_openai.presets import effort_fields
from tgllm_openai.replaying import ServiceReader, replayed
from tgllm_openai.services import ServiceSetup

__all__ = ["ServiceProvider", "TaggedProvider", "create_provider"]


def create_provider(setup: ServiceSetup, clock: Clock) -> "ServiceProvider":
    """Create the provider of a service; nothing is sent yet.

    Raises:
        NotConfigured: its key or its address can't be used.
    """
    return (TaggedProvider if setup.preset.think_tags else ServiceProvider)(setup, clock)


class ServiceProvider(OpenAIChatClient):
    """Client of one service."""

    supports_tools: ClassVar[bool] = True
    reader: ClassVar[type[ChatReader]] = ServiceReader

    def __init__(self, setup: ServiceSetup, clock: Clock) -> None:
        """Create the provider; nothing is sent yet."""
        preset, settings = setup.preset, setup.settings
        http = ProviderHttp(
            setup.base_url,
            headers=_headers(setup),
            idle_seconds=setup.idle_seconds,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            explain=explain_local if preset.local else explain,
        )
        super().__init__(http, clock)
        self._setup = setup
        self._clock = clock
        self._local = LocalServer(http, setup.base_url, preset.asks) if preset.asks else None
        self._known: Mapping[str, ModelInfo] = {}
        self._prices = {
            name: Price(each.input, each.output, each.cached, each.as_of, each.cache_write)
            for name, each in settings.prices.items()
        }
        if preset.table:
            self._known = load_capabilities("tgllm_openai", f"{preset.table}_models.toml")
            self._prices = {**load_prices("tgllm_openai", f"{preset.table}_prices.toml"), **self._prices}

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the models of the service that the settings choose.

        Raises:
            ProviderError: there is no list, and the settings name no model.
        """
        named = [name for name in self._setup.settings.models if is_named(name)]
        try:
            listed = await super().list_models() if self._setup.preset.lists or not named else ()
        except ProviderError as error:
            if not named or error.default_code not in {"model_not_found", "bad_response"}:
                raise
            # The service has no list.
            listed = ()
        if self._local is not None:
            listed = await self._local.complete(listed)
        models = [self._completed(model) for model in chosen(listed, self._setup.settings.models, self._setup.preset)]
        self._windows = {model.id: model.context_window for model in models}
        return models

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer; a local server may have to load the model first."""
        if not self._setup.preset.local:
            events = super().generate(request)
        else:
            attempt = super().generate
            events = with_news(patiently(lambda: attempt(request), self._clock, self._setup.idle_seconds))
        async with aclosing(events):
            async for event in events:
                yield event

    async def fetch_models(self) -> Json:
        """Fetch the list of models."""
        preset = self._setup.preset
        return await self.http.get_json(preset.models_path, preset.models_query or None)

    def settings(self, request: ChatRequest) -> Body:
        """Return the fields except model, messages and stream."""
        preset, settings = self._setup.preset, self._setup.settings
        asks_usage = preset.usage if settings.send_stream_options is None else settings.send_stream_options
        user = preset.user if settings.send_user else ""
        effort = request.reasoning_effort
        return {
            **given(
                stream_options={"include_usage": True} if asks_usage else None,
                temperature=request.temperature,
                **{settings.limit_field or preset.limit: request.max_output_tokens},
                **({user: request.user_key} if user else {}),
            ),
            **(effort_fields(settings.effort or preset.effort)[effort] if effort else {}),
            **settings.body,
        }

    def messages(self, message: ChatMessage, model: str) -> Sequence[Body]:
        """Encode one message; one with calls has what the service demands back with them."""
        bodies = super().messages(message, model)
        field = self._setup.preset.replays
        return [replayed(body, message.provider_data, field) if "tool_calls" in body else body for body in bodies]

    def tools(self, request: ChatRequest) -> Body:
        """Return the fields about tools."""
        fields = super().tools(request)
        asks = self._setup.preset.parallel and request.parallel_tools
        return {**fields, "parallel_tool_calls": True} if asks else fields

    def check(self, request: ChatRequest) -> None:
        """Refuse tools where the settings or the preset say that models take none."""
        tools, preset = self._setup.settings.tools, self._setup.preset
        if request.tools and (tools is False or (tools is None and not preset.tools)):
            raise Unsupported(f"{self._setup.title} is asked without tools", code="tools_unsupported")

    def read_models(self, entries: Iterable[JsonObject]) -> Sequence[ModelInfo]:
        """Parse the list of models; of equal names the first one counts."""
        found = (read_entry(entry, self._setup.preset) for entry in entries)
        models = {model.id: model for model in reversed([model for model in found if model])}
        return list(reversed(models.values()))

    def _completed(self, model: ModelInfo) -> ModelInfo:
        """Return a model with what the package's tables and the settings say about it."""
        known = self._known.get(model.id) or self._known.get(undated(model.id))
        if known is not None:
            model = replace(
                model,
                title=model.title or (known.title if known.id == model.id else ""),
                context_window=model.context_window or known.context_window,
                max_output_tokens=model.max_output_tokens or known.max_output_tokens,
                mime_types=model.mime_types or known.mime_types,
                reasoning=model.reasoning or known.reasoning,
            )
        settings = self._setup.settings
        if settings.images is not None:
            model = replace(model, mime_types=IMAGE_TYPES if settings.images else frozenset[str]())
        if settings.tools is not None:
            model = replace(model, tools=settings.tools)
        elif not self._setup.preset.tools:
            model = replace(model, tools=False)
        most = settings.context_window
        return replace(
            model,
            context_window=min(filter(None, (model.context_window, most)), default=None),
            price=self._prices.get(model.id) or model.price or self._prices.get(undated(model.id)),
        )


class TaggedProvider(ServiceProvider):
    """Client of a service whose models may write their reasoning into the text."""

    class _Reader(ServiceReader):
        think_tags: ClassVar[bool] = True

    reader: ClassVar[type[ChatReader]] = _Reader


def _headers(setup: ServiceSetup) -> dict[str, str]:
    preset = setup.preset
    own = {name: value.get_secret_value() for name, value in setup.settings.headers.items()}
    if not setup.key:
        return own
    is_plain = preset.header.lower() != "authorization"
    return {preset.header: setup.key if is_plain else f"{preset.scheme} {setup.key}", **own}
