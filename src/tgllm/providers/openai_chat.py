"""Provider for services with OpenAI's chat completions API; override methods where a service differs."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.errors import ProviderError
from tgllm.api.events import StreamEvent, Waiting
from tgllm.api.provider import Provider
from tgllm.api.types import ChatMessage, ChatRequest, FilePart, Json, JsonObject, ModelInfo, Part
from tgllm.providers.attachments import IMAGE_TYPES, data_url, unsupported
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, parse_json
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.retry import Retry
from tgllm.providers.sse import ServerComment, ServerEvent, read_events

__all__ = ["Body", "OpenAIChatClient", "given"]

Body = dict[str, Json]
"""A JSON object under construction."""

_LAST_BYTES_SECONDS = 0.5


def given(**fields: Json) -> Body:
    """Return the fields that are not None, so that unset settings are not sent."""
    return {name: value for name, value in fields.items() if value is not None}


class OpenAIChatClient(Provider):
    """Provider for OpenAI's chat completions API, and base class for similar services.

    ``settings``, ``message`` and ``file`` build requests; ``read_model`` and the ``reader`` parse responses. The
    ``explain`` function of the ``ProviderHttp`` maps failures to errors.
    """

    models_path: ClassVar[str] = "/models"
    chat_path: ClassVar[str] = "/chat/completions"
    reader: ClassVar[type[ChatReader]] = ChatReader
    """Class of the reader; each answer gets a new instance."""

    def __init__(self, http: ProviderHttp, clock: Clock, *, retry: Retry | None = None) -> None:
        """Create a provider that uses ``http`` and closes it; ``retry`` defaults to three attempts."""
        self.http = http
        self.retry = retry or Retry(clock)

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the chat models that the account can use."""
        page = as_object(await self.retry.call(lambda: self.http.get_json(self.models_path)))
        return self.read_models([as_object(entry) for entry in as_list(page.get("data"))])

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer."""
        body = await self._encode(request)
        async with aclosing(self.retry.stream(lambda: self._attempt(body))) as events:
            async for event in events:
                yield event

    async def aclose(self) -> None:
        """Close all connections."""
        await self.http.aclose()

    # --- requests -------------------------------------------------------------------------

    def check(self, request: ChatRequest) -> None:
        """Refuse requests that the service would reject or silently ignore; by default none.

        Raises:
            Unsupported: a part or a setting is not supported.
        """

    def settings(self, request: ChatRequest) -> Body:
        """Return the fields of the body except ``model``, ``messages`` and ``stream``."""
        return given(
            stream_options={"include_usage": True},
            temperature=request.temperature,
            max_tokens=request.max_output_tokens,
            reasoning_effort=request.reasoning_effort,
            user=request.user_key,
        )

    def message(self, message: ChatMessage, model: str) -> Body:
        """Encode one message. Runs in a thread if the conversation has files."""
        if not any(isinstance(part, FilePart) for part in message.parts):
            return {"role": message.role, "content": message.text}
        return {"role": message.role, "content": [self._part(part, model) for part in message.parts]}

    def file(self, part: FilePart, model: str) -> Body:
        """Read a file and encode it as a part of a message. By default images only.

        Raises:
            Unsupported: the model does not accept the file.
        """
        if part.mime_type not in IMAGE_TYPES:
            raise unsupported(part, model)
        return {"type": "image_url", "image_url": {"url": data_url(part)}}

    # --- responses ------------------------------------------------------------------------

    def read_models(self, entries: Iterable[JsonObject]) -> Sequence[ModelInfo]:
        """Parse the service's list of models."""
        return [model for entry in entries if (model := self.read_model(entry))]

    def read_model(self, entry: JsonObject) -> ModelInfo | None:
        """Parse one model; None if it is not a chat model."""
        window = as_int(entry.get("context_length")) or as_int(entry.get("max_model_len"))
        model = as_text(entry.get("id"))
        return ModelInfo(model, context_window=window) if model else None

    # --- one attempt ----------------------------------------------------------------------

    async def _encode(self, request: ChatRequest) -> bytes:
        self.check(request)
        if any(isinstance(part, FilePart) for message in request.messages for part in message.parts):
            # Reading and encoding files takes long enough to delay other chats.
            return await asyncio.to_thread(self._body, request)
        return self._body(request)

    def _body(self, request: ChatRequest) -> bytes:
        system: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
        messages = [*system, *(self.message(message, request.model) for message in request.messages)]
        return encode_json({"model": request.model, "messages": messages, "stream": True, **self.settings(request)})

    def _part(self, part: Part, model: str) -> Body:
        return self.file(part, model) if isinstance(part, FilePart) else {"type": "text", "text": part.text}

    async def _attempt(self, body: bytes) -> AsyncGenerator[StreamEvent, None]:
        reader, done = self.reader(), False
        async with aclosing(self.http.stream(self.chat_path, body)) as chunks, aclosing(read_events(chunks)) as events:
            async for event in events:
                if isinstance(event, ServerComment):
                    # Reported, so that the chat shows that the service is alive.
                    yield Waiting("queue")
                elif done := event.data.strip() == "[DONE]":
                    await _read_to_the_end(chunks)
                    break
                else:
                    for found in reader.take(self._chunk(reader, event)):
                        yield found
        yield reader.end(done=done)

    def _chunk(self, reader: ChatReader, event: ServerEvent) -> JsonObject:
        chunk = as_object(parse_json(event.data))
        if event.name == "error" or reader.is_error(chunk):
            raise self.http.failure(_status(chunk), event.data.encode())
        return chunk


def _status(chunk: JsonObject) -> int:
    """Return the HTTP status in an error inside a stream, or 0."""
    error = as_object(chunk.get("error")) or chunk
    found = (as_int(error.get(key)) for key in ("status_code", "raw_status_code", "status", "code"))
    return next((status for status in found if status and 400 <= status <= 599), 0)


async def _read_to_the_end(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read the rest of the response, usually nothing, so that the connection can be reused."""
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(_LAST_BYTES_SECONDS):
            async for _ in chunks:
                pass
