"""Provider of Anthropic's models."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from functools import partial

from tgllm.api.clock import Clock
from tgllm.api.errors import ProviderError
from tgllm.api.events import StreamEvent, Waiting
from tgllm.api.provider import Provider
from tgllm.api.types import ChatRequest, Json, JsonObject, ModelInfo
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, unexpected
from tgllm.providers.prices import load_prices
from tgllm.providers.retry import Retry
from tgllm.providers.sse import NotAStream, ServerComment, ServerEvent, read_events
from tgllm_anthropic.errors import explain_anthropic
from tgllm_anthropic.models import Abilities, Families, read_model
from tgllm_anthropic.question import Question, in_thread
from tgllm_anthropic.reader import AnswerReader
from tgllm_anthropic.request import Encoder
from tgllm_anthropic.settings import Settings

__all__ = ["AnthropicProvider"]

_MESSAGES = "/v1/messages"
_MODELS = "/v1/models"
_PAGE_SIZE = "1000"
_MAX_PAGES = 100
_LAST_EVENT_SECONDS = 3.0
"""Timeout of each event after the stop reason."""
_LAST_BYTES_SECONDS = 0.5


class AnthropicProvider(Provider):
    """Client of the Messages API."""

    def __init__(self, settings: Settings, key: str, clock: Clock) -> None:
        """Create the provider; nothing is sent yet."""
        betas = {"anthropic-beta": ",".join(settings.betas)} if settings.betas else {}
        self._http = ProviderHttp(
            settings.base_url.rstrip("/").removesuffix("/v1"),
            headers={"x-api-key": key, "anthropic-version": settings.api_version, **betas},
            idle_seconds=settings.timeout_seconds,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            explain=explain_anthropic,
        )
        self._settings = settings
        self._retry = Retry(clock)
        self._families = Families()
        self._prices = load_prices("tgllm_anthropic")
        self._known: dict[str, Abilities] = {}

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the models that the account can use, of all pages of the list."""
        entries = await self._entries()
        read = (read_model(entry, self._families.of(as_text(entry.get("id"))), self._prices) for entry in entries)
        found = {each[0].id: each for each in read if each}
        self._known = {model: abilities for model, (_, abilities) in found.items()}
        return [info for info, _ in found.values()]

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer; what the service refuses and no person has asked for is left out in a second request."""
        encoder = self._encoder(request)
        encoder.check(request)
        question = await Question.encoded(request, encoder)
        async with aclosing(self._retry.stream(lambda: self._accepted(question))) as events:
            async for event in events:
                yield event

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """Return the tokens of the request as the API counts them."""
        encoder = self._encoder(request)
        encoder.check(request)
        body = await in_thread(request, partial(encoder.counted, request, replay=True))
        counted = await self._retry.call(lambda: self._http.post_json(f"{_MESSAGES}/count_tokens", body))
        return as_int(as_object(counted).get("input_tokens"))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    # --- one attempt ----------------------------------------------------------------------

    async def _entries(self) -> list[JsonObject]:
        entries: list[JsonObject] = []
        after = ""
        for _ in range(_MAX_PAGES):
            params = {"limit": _PAGE_SIZE, **({"after_id": after} if after else {})}
            page = await self._retry.call(lambda params=params: self._http.get_json(_MODELS, params))
            entries += self._page(page)
            last = as_text(as_object(page).get("last_id"))
            if as_object(page).get("has_more") is not True:
                return entries
            if not last or last == after:
                raise unexpected("last_id", "the id of the next page", last or None)
            after = last
        raise unexpected("has_more", "an end of the list", value=True)

    def _page(self, page: Json) -> list[JsonObject]:
        """Return the entries of one page.

        Raises:
            ProviderError: the response is no list of models.
        """
        data = as_object(page).get("data")
        if isinstance(data, list):
            return list(map(as_object, as_list(data)))
        if data and "error" not in as_object(page):
            raise unexpected("data", "a list", data)
        raise self._http.failure(200, encode_json(page))

    def _encoder(self, request: ChatRequest) -> Encoder:
        return Encoder(self._settings, self._known.get(request.model) or self._families.of(request.model))

    async def _accepted(self, question: Question) -> AsyncGenerator[StreamEvent, None]:
        while True:
            begun = False
            try:
                async with aclosing(self._attempt(question.body)) as events:
                    async for event in events:
                        begun = begun or not isinstance(event, Waiting)
                        yield event
                return
            except ProviderError as error:
                if begun or not await question.mend(error):
                    raise

    async def _attempt(self, body: bytes) -> AsyncGenerator[StreamEvent, None]:
        reader = AnswerReader(self._http.host, self._http.failure)
        async with aclosing(self._http.stream(_MESSAGES, body)) as chunks, aclosing(read_events(chunks)) as events:
            try:
                async for event in events:
                    if isinstance(event, ServerComment):
                        yield Waiting("queue")
                        continue
                    for found in reader.take(event):
                        yield found
                    if reader.finished:
                        break
            except NotAStream as error:
                raise self._http.failure(0 if error.after_events else 200, error.beginning) from None
            while not reader.done and (later := await _next(events)):
                for found in reader.take(later):
                    yield found
            if reader.done:
                await _read_to_the_end(chunks)
        yield reader.end()


async def _next(events: AsyncGenerator[ServerEvent | ServerComment, None]) -> ServerEvent | None:
    """Return the next event after the stop reason; None if none comes soon, which does no harm to the answer."""
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(_LAST_EVENT_SECONDS):
            async for event in events:
                if isinstance(event, ServerEvent):
                    return event
    return None


async def _read_to_the_end(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read the rest of the response, usually nothing, so that the connection can be used again."""
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(_LAST_BYTES_SECONDS):
            async for _ in chunks:
                pass
