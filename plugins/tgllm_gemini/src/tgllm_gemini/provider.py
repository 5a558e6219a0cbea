"""Provider of Google's models."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from google.genai import types

from tgllm.api.clock import Clock
from tgllm.api.errors import BadResponse, ProviderError
from tgllm.api.events import FileDelta, StreamEvent, TextDelta, Waiting
from tgllm.api.provider import Provider
from tgllm.api.types import ChatRequest, FilePart, ModelInfo
from tgllm.providers.attachments import unsupported
from tgllm.providers.failure import Failure
from tgllm.providers.prices import load_prices
from tgllm.providers.retry import Retry
from tgllm_gemini.config import config_of, declarations_of
from tgllm_gemini.contents import contents_of
from tgllm_gemini.errors import Outdated, explain_gemini, sdk_errors
from tgllm_gemini.models import Families, Family, read_models
from tgllm_gemini.reader import AnswerReader, BrokenCall
from tgllm_gemini.sdk import Sdk
from tgllm_gemini.settings import Settings
from tgllm_gemini.transport import Holding
from tgllm_gemini.uploads import Uploads, inline, needs_upload

__all__ = ["GeminiProvider"]

_PAGE_SIZE = 1000


class GeminiProvider(Provider):
    """Client of the Gemini API with a key, or of Vertex AI with Google's default credentials."""

    supports_tools: ClassVar[bool] = True

    def __init__(self, settings: Settings, key: str, clock: Clock) -> None:
        """Create the provider; nothing is sent yet. A project in the settings selects Vertex AI."""
        self._idle_seconds = settings.timeout_seconds
        self._key = key
        self._sdk = Sdk(settings, key)
        self._host = urlsplit(settings.address).hostname or ""
        self._retry = Retry(clock)
        self._families = Families()
        self._prices = load_prices("tgllm_gemini")
        self._known: dict[str, ModelInfo] = {}
        self._uploads = Uploads(self._sdk.files, clock, can_upload=settings.project is None)

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the chat models that the account can use."""
        return await self._retry.call(self._models)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer."""
        async with aclosing(self._retry.stream(lambda: self._attempt(request))) as events:
            async for event in events:
                yield event

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """Return the tokens of the request as the API counts them; None if a file would have to be uploaded first."""
        files = _files(request)
        if needs_upload(files):
            return None
        contents = contents_of(request, {file: await inline(file) for file in files}, replay=False)
        # With a key, the API counts only contents.
        if request.tools:
            tools = "".join(tool.model_dump_json(exclude_none=True) for tool in declarations_of(request))
            contents.insert(0, types.Content(role="user", parts=[types.Part(text=tools)]))
        if request.system:
            contents.insert(0, types.Content(role="user", parts=[types.Part(text=request.system)]))
        return await self._retry.call(lambda: self._count(request.model, contents))

    async def aclose(self) -> None:
        """Delete uploaded files and close all connections."""
        await self._uploads.aclose()
        await self._sdk.aclose()

    # --- one attempt ----------------------------------------------------------------------

    async def _models(self) -> Sequence[ModelInfo]:
        with self._errors():
            pages = await self._sdk.models.list(config=types.ListModelsConfig(page_size=_PAGE_SIZE))
            found = [model async for model in pages]
        if not found:
            # The SDK reads any other document as a list without models, which Google never sends.
            raise BadResponse(f"{self._host} sent no list of models")
        models = read_models(found, self._families, self._prices)
        self._known = {model.id: model for model in models}
        return models

    async def _count(self, model: str, contents: list[types.Content]) -> int | None:
        with self._errors():
            return (await self._sdk.models.count_tokens(model=model, contents=contents)).total_tokens

    async def _attempt(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        try:
            async with aclosing(self._readable(request, replay=True)) as events:
                async for event in events:
                    yield event
            return
        except Outdated:
            self._uploads.forget()
        async with aclosing(self._readable(request, replay=False)) as events:
            async for event in events:
                yield event

    async def _readable(self, request: ChatRequest, *, replay: bool) -> AsyncGenerator[StreamEvent, None]:
        """Yield an answer; one with an invalid call of a tool is repeated once, unless text of it was shown."""
        spoken = False
        try:
            async with aclosing(self._answer(request, replay=replay)) as events:
                async for event in events:
                    spoken = spoken or isinstance(event, TextDelta | FileDelta)
                    yield event
            return
        except BrokenCall:
            if spoken:
                raise
        yield Waiting("retry")
        async with aclosing(self._answer(request, replay=replay)) as events:
            async for event in events:
                yield event

    async def _answer(self, request: ChatRequest, *, replay: bool) -> AsyncGenerator[StreamEvent, None]:
        config = config_of(request, self._family(request.model))
        files = self._checked(request)
        parts: dict[FilePart, types.Part] = {}
        with self._errors():
            async with aclosing(self._uploads.gather(files, parts)) as steps:
                async for _ in steps:
                    yield Waiting("queue")
            contents = contents_of(request, parts, replay=replay)
            stream = await self._sdk.models.generate_content_stream(
                model=request.model, contents=contents, config=config
            )
        reader = AnswerReader(self._host)
        try:
            with self._errors():
                async with aclosing(Holding(self._failure).items(stream)) as chunks:
                    async for chunk in chunks:
                        for event in reader.take(chunk):
                            yield event
        except ProviderError:
            # After the finish reason the answer is complete, however its connection ends.
            if not reader.finished:
                raise
        finished = reader.end()
        for call in reader.calls:
            yield call
        yield finished

    def _failure(self, status: int, body: bytes) -> ProviderError:
        return explain_gemini(Failure(self._host, status, {}, self._hide(body.decode(errors="replace")).encode()))

    def _checked(self, request: ChatRequest) -> list[FilePart]:
        """Return the files of the conversation, if the model accepts all of them."""
        family = self._family(request.model)
        files = _files(request)
        for file in files:
            if file.mime_type not in family.mime_types:
                raise unsupported(file, request.model)
        return files

    def _family(self, model: str) -> Family:
        family, known = self._families.of(model), self._known.get(model)
        return replace(family, efforts={}) if known is not None and not known.reasoning else family

    def _errors(self) -> AbstractContextManager[None]:
        return sdk_errors(self._host, self._idle_seconds, self._hide)

    def _hide(self, text: str) -> str:
        return text.replace(self._key, "[hidden]") if self._key else text


def _files(request: ChatRequest) -> list[FilePart]:
    return [part for message in request.messages for part in message.parts if isinstance(part, FilePart)]
