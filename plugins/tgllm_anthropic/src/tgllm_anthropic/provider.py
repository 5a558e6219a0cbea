"""Provider of Anthropic's models."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.events import StreamEvent
from tgllm.api.provider import Provider
from tgllm.api.types import ChatRequest, Json, JsonObject, ModelInfo
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, unexpected
from tgllm.providers.prices import load_prices
from tgllm.providers.retry import Retry
from tgllm.providers.streams.answering import read_answer, until_accepted
from tgllm_anthropic.errors import explain_anthropic
from tgllm_anthropic.models import Abilities, Families, read_model, with_write_prices
from tgllm_anthropic.question import Question, in_thread
from tgllm_anthropic.reader import AnswerReader
from tgllm_anthropic.request import Encoder
from tgllm_anthropic.settings import Settings

__all__ = ["AnthropicProvider"]

_MESSAGES = "/v1/messages"
_MODELS = "/v1/models"
_PAGE_SIZE = "1000"
_MAX_PAGES = 100


class AnthropicProvider(Provider):
    """Client of the Messages API."""

    supports_tools: ClassVar[bool] = True

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
        self._prices = with_write_prices(load_prices("tgllm_anthropic"), settings.cache)
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

    def _accepted(self, question: Question) -> AsyncGenerator[StreamEvent, None]:
        return until_accepted(lambda: self._attempt(question.body), question.mend)

    async def _attempt(self, body: bytes) -> AsyncGenerator[StreamEvent, None]:
        reader = AnswerReader(self._http.host, self._http.failure)
        async with aclosing(read_answer(self._http, _MESSAGES, body, reader)) as events:
            async for event in events:
                yield event
        finished = reader.end()
        for call in reader.calls:
            yield call
        yield finished
