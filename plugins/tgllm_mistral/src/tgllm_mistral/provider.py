"""Provider of Mistral's models."""

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

from tgllm.api.clock import Clock
from tgllm.api.errors import Unsupported
from tgllm.api.types import ChatMessage, ChatRequest, FilePart, Json, JsonObject, ModelInfo, ToolResultPart
from tgllm.providers.attachments import unsupported
from tgllm.providers.encoding.tool_messages import sendable_id, sendable_name, tool_choice
from tgllm.providers.http import ProviderHttp
from tgllm.providers.openai_chat import Body, OpenAIChatClient, given
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.prices import load_prices
from tgllm_mistral.errors import explain_mistral
from tgllm_mistral.models import fold_models
from tgllm_mistral.settings import Settings
from tgllm_mistral.wire import DOCUMENT_TYPES, MistralReader, document, image, is_image, thinking

__all__ = ["MistralProvider"]

_MAX_TEMPERATURE = 1.5
_CALL_ID_LENGTH = 9
_CALL_ID = re.compile(r"[A-Za-z0-9]{9}")
_BETWEEN = "I have the results."
"""Message between the results of tools and the user's next words (Mistral API: error 3230)."""


class MistralProvider(OpenAIChatClient):
    """Client of the Mistral API, which rejects unknown fields."""

    models_path: ClassVar[str] = "/v1/models"
    chat_path: ClassVar[str] = "/v1/chat/completions"
    reader: ClassVar[type[ChatReader]] = MistralReader
    supports_tools: ClassVar[bool] = True

    def __init__(self, settings: Settings, key: str, clock: Clock) -> None:
        """Create the provider; nothing is sent yet."""
        http = ProviderHttp(
            settings.base_url.rstrip("/").removesuffix("/v1"),
            headers={"Authorization": f"Bearer {key}"},
            idle_seconds=settings.timeout_seconds,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            explain=explain_mistral,
        )
        super().__init__(http, clock)
        self._settings = settings
        self._prices = load_prices("tgllm_mistral")
        self._known: dict[str, ModelInfo] = {}

    def check(self, request: ChatRequest) -> None:
        """Refuse requests that the API would reject with a less clear message."""
        if request.temperature is not None and request.temperature > _MAX_TEMPERATURE:
            raise Unsupported(f"Mistral takes a temperature of {_MAX_TEMPERATURE} at most")
        known = self._known.get(request.model)
        if known and not known.reasoning and request.reasoning_effort not in {None, "none"}:
            raise Unsupported(f"{request.model} does not reason")

    def settings(self, request: ChatRequest) -> Body:
        """Return the fields except model, messages and stream; the API reports usage by default."""
        known = self._known.get(request.model)
        return given(
            temperature=request.temperature,
            max_tokens=request.max_output_tokens,
            reasoning_effort=request.reasoning_effort if known is None or known.reasoning else None,
            random_seed=self._settings.random_seed,
            safe_prompt=self._settings.safe_prompt or None,
        )

    def message(self, message: ChatMessage, model: str) -> Body:
        """Encode a message; an answer is sent with its reasoning."""
        body = super().message(message, model)
        thoughts = thinking(message.provider_data) if message.role == "assistant" else []
        if not thoughts:
            return body
        said: list[Json] = [{"type": "text", "text": message.text}] if message.text else []
        return {**body, "content": [*thoughts, *said]}

    def messages(self, message: ChatMessage, model: str) -> Sequence[Body]:
        """Encode a message; the API takes no words of the user right after results of tools."""
        bodies = super().messages(message, model)
        if len(bodies) > 1 and bodies[-1]["role"] == "user":
            return [*bodies[:-1], {"role": "assistant", "content": _BETWEEN}, bodies[-1]]
        return bodies

    def result(self, result: ToolResultPart) -> Body:
        """Encode the result of a call."""
        return {**super().result(result), "name": sendable_name(result.name)}

    def tools(self, request: ChatRequest) -> Body:
        """Return the fields about tools."""
        choice = tool_choice(request.tool_choice, {"required": "any"})
        return {**super().tools(request), **given(tool_choice=choice)}

    def call_id(self, identifier: str) -> str:
        """Return nine letters and digits (Mistral API: function calling)."""
        return sendable_id(identifier, _CALL_ID, length=_CALL_ID_LENGTH, prefix="")

    def file(self, part: FilePart, model: str) -> Body:
        """Encode an image, if the model accepts images, or a document."""
        known = self._known.get(model)
        if known is not None and part.mime_type not in known.mime_types:
            raise unsupported(part, model)
        if is_image(part):
            return image(part)
        if part.mime_type in DOCUMENT_TYPES:
            return document(part)
        raise unsupported(part, model)

    def read_models(self, entries: Iterable[JsonObject]) -> Sequence[ModelInfo]:
        """Parse the chat models, and keep their capabilities for ``check``."""
        models = fold_models(entries, self._prices)
        self._known = {name: model for model in models for name in (model.id, *model.aliases)}
        return models
