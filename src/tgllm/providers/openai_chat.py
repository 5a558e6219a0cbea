"""Provider for services with OpenAI's chat completions API; override methods where a service differs."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.errors import Unsupported
from tgllm.api.events import StreamEvent
from tgllm.api.provider import Provider
from tgllm.api.types import (
    ChatMessage,
    ChatRequest,
    FilePart,
    Json,
    JsonObject,
    ModelInfo,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tgllm.providers.attachments import IMAGE_TYPES, data_url, has_files, moved_to_questions, unsupported
from tgllm.providers.encoding.kept_json import KeptJson
from tgllm.providers.encoding.retelling import has_tool_parts
from tgllm.providers.encoding.tool_messages import (
    call_json,
    result_text,
    sendable_id,
    tool_choice,
    tool_json,
)
from tgllm.providers.http import ProviderHttp
from tgllm.providers.json_values import as_text, encode_json, unexpected
from tgllm.providers.openai_models import context_window, entries_of, is_chat_model
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.openai_stream import AnswerStream
from tgllm.providers.rejected_fields import Draft, RejectedField, without
from tgllm.providers.retry import Retry
from tgllm.providers.streams.answering import read_answer, until_accepted

__all__ = ["Body", "OpenAIChatClient", "given"]

Body = dict[str, Json]
"""A JSON object under construction."""


def given(**fields: Json) -> Body:
    """Return the fields that are not None, so that unset settings are not sent."""
    return {name: value for name, value in fields.items() if value is not None}


class OpenAIChatClient(Provider):
    """Provider for OpenAI's chat completions API, and base class for similar services.

    ``settings``, ``tools``, ``message`` and ``file`` build requests; ``read_model`` and the ``reader`` parse responses.
    The ``explain`` function of the ``ProviderHttp`` maps failures to errors. Set ``supports_tools`` to True if the
    service takes tools; without it, requests with tools are refused.
    """

    models_path: ClassVar[str] = "/models"
    chat_path: ClassVar[str] = "/chat/completions"
    reader: ClassVar[type[ChatReader]] = ChatReader
    """Class of the reader; each answer gets a new instance."""

    def __init__(self, http: ProviderHttp, clock: Clock, *, retry: Retry | None = None) -> None:
        """Create a provider that uses ``http`` and closes it; ``retry`` defaults to three attempts."""
        self.http = http
        self.retry = retry or Retry(clock)
        self._kept = KeptJson(lambda message: b",".join(map(encode_json, self.messages(message, ""))))
        self._beside_tools: dict[str, RejectedField] = {}
        """What a model wants changed in requests with tools, by model."""
        self._windows: dict[str, int | None] = {}
        """Context windows of the listed models, by id and alias."""

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the chat models that the account can use."""
        models = self.read_models(await self.retry.call(self._entries))
        self._windows = {name: model.context_window for model in models for name in (model.id, *model.aliases)}
        return models

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Stream one answer; a field that the service rejects is changed once, and the request is sent again."""
        draft = Draft(await self._encode(request), lambda field: self._remember(request, field))
        async with aclosing(self.retry.stream(lambda: self._accepted(draft, request.model))) as events:
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

    def tools(self, request: ChatRequest) -> Body:
        """Return the fields about tools of a request that has some."""
        return given(
            tools=list(map(tool_json, request.tools)),
            tool_choice=tool_choice(request.tool_choice),
            parallel_tool_calls=None if request.parallel_tools else False,
        )

    def call_id(self, identifier: str) -> str:
        """Return the id of a call as the service takes it: always the same one for the same neutral id."""
        return sendable_id(identifier)

    def messages(self, message: ChatMessage, model: str) -> Sequence[Body]:
        """Encode one message: results of tools are messages of their own, before what else is in it.

        Runs in a thread if the conversation has files.

        Raises:
            Unsupported: it has calls or results, and the provider has no ``supports_tools``.
        """
        if not has_tool_parts(message):
            return (self.message(message, model),)
        if not self.supports_tools:
            raise _no_tools(model)
        results = [self.result(part) for part in message.parts if isinstance(part, ToolResultPart)]
        rest = tuple(part for part in message.parts if not isinstance(part, ToolResultPart))
        return [*results, self.message(replace(message, parts=rest), model)] if rest else results

    def message(self, message: ChatMessage, model: str) -> Body:
        """Encode one message without results of tools."""
        if not has_files(message):
            body: Body = {"role": message.role, "content": message.text}
        else:
            body = {"role": message.role, "content": list(self._parts(message, model))}
        calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
        if not calls:
            return body
        made = [call_json(call, self.call_id(call.id)) for call in calls]
        return {**body, "content": body["content"] or None, "tool_calls": made}

    def result(self, result: ToolResultPart) -> Body:
        """Encode the result of a call."""
        return {"role": "tool", "tool_call_id": self.call_id(result.id), "content": result_text(result)}

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
        model = as_text(entry.get("id"))
        return ModelInfo(model, context_window=context_window(entry)) if model and is_chat_model(entry) else None

    async def fetch_models(self) -> Json:
        """Fetch the list of models, all pages of it."""
        return await self.http.get_json(self.models_path)

    async def _entries(self) -> list[JsonObject]:
        page = await self.fetch_models()
        entries = entries_of(page)
        if entries is None and isinstance(page, dict) and page.get("data") and "error" not in page:
            raise unexpected("data", "a list", page["data"])
        if entries is None:
            raise self.http.failure(200, encode_json(page))
        return entries

    # --- one attempt ----------------------------------------------------------------------

    async def _encode(self, request: ChatRequest) -> bytes:
        self.check(request)
        if request.tools and not self.supports_tools:
            raise _no_tools(request.model)
        if any(map(has_files, request.messages)):
            # Reading and encoding files takes long enough to delay other chats.
            return await asyncio.to_thread(self._body, request)
        settings = self._all_settings(request)
        if type(self).message is not OpenAIChatClient.message or not settings.keys().isdisjoint({"model", "messages"}):
            return self._body(request)
        # The messages before the question are those of the last turn, and most of a long request.
        system = [encode_json({"role": "system", "content": request.system})] if request.system else []
        messages = b",".join((*system, self._kept.of(request.messages)))
        before, after = encode_json({"model": request.model}), encode_json({"stream": True, **settings})
        return b'%s,"messages":[%s],%s' % (before[:-1], messages, after[1:])

    def _body(self, request: ChatRequest) -> bytes:
        system: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
        messages = [
            *system,
            *(
                body
                for message in moved_to_questions(request.messages)
                for body in self.messages(message, request.model)
            ),
        ]
        return encode_json(
            {"model": request.model, "messages": messages, "stream": True, **self._all_settings(request)}
        )

    def _all_settings(self, request: ChatRequest) -> Body:
        settings = self.settings(request)
        if not request.tools:
            return settings
        body = {**settings, **self.tools(request)}
        field = self._beside_tools.get(request.model)
        return body if field is None else without(body, field) or body

    def _remember(self, request: ChatRequest, field: RejectedField) -> None:
        if request.tools and field.value:
            self._beside_tools[request.model] = field

    def _parts(self, message: ChatMessage, model: str) -> Iterable[Body]:
        for part in message.parts:
            if isinstance(part, FilePart):
                yield self.file(part, model)
            elif isinstance(part, TextPart):
                yield {"type": "text", "text": part.text}

    def _accepted(self, draft: Draft, model: str) -> AsyncGenerator[StreamEvent, None]:
        return until_accepted(lambda: self._attempt(draft.body, model), draft.change)

    async def _attempt(self, body: bytes, model: str) -> AsyncGenerator[StreamEvent, None]:
        reader = self.reader()
        reader.host = self.http.host
        answer = AnswerStream(reader, self.http.failure)
        async with aclosing(read_answer(self.http, self.chat_path, body, answer)) as events:
            async for event in events:
                yield event
        for found in answer.rest():
            yield found
        finished = answer.end(self._windows.get(model))
        for call in answer.calls():
            yield call
        yield finished


def _no_tools(model: str) -> Unsupported:
    return Unsupported(f"{model} is asked without tools", code="tools_unsupported")
