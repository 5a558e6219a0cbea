"""Fake server of the Gemini API, for API keys and for Vertex AI."""

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from tgllm.api.clock import Clock
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.bearer import bearer_token
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.base.server import FakeServer, Route
from tgllm.testing.fake_providers.base.wire import estimate_tokens
from tgllm.testing.fake_providers.gemini_api.body import CountBody, GenerateBody
from tgllm.testing.fake_providers.gemini_api.checks import (
    check_contents,
    check_modalities,
    check_signatures,
    check_thinking,
    read,
)
from tgllm.testing.fake_providers.gemini_api.errors import GeminiErrors
from tgllm.testing.fake_providers.gemini_api.files import GeminiFiles
from tgllm.testing.fake_providers.gemini_api.pages import page_of
from tgllm.testing.fake_providers.gemini_api.signatures import Signatures
from tgllm.testing.fake_providers.gemini_api.tool_checks import check_calls, check_signed_calls, check_tools
from tgllm.testing.fake_providers.gemini_api.wire import CALL_FORMS, GeminiWire

__all__ = ["FakeGemini"]

_VERSION = "{version:v1|v1beta|v1beta1}"
_METHOD = "{model:[^/:]+}:{method}"
_FILE_TOKENS = 258  # cost of a tile of an image
_MIB = 1024 * 1024


class FakeGemini(FakeServer):
    """Models with pagination, answers, token counts and files.

    The paths of Vertex AI accept ``key`` as a bearer token. ``files`` are the uploaded files and their processing
    state, ``signatures`` the issued thought signatures; ``max_request_bytes`` is the maximum size of a request with
    inline files, ``max_page_size`` that of a page of the list of models.
    """

    default_key = "fake-gemini-key"
    has_done = False
    call_forms = CALL_FORMS

    def __init__(
        self, *, key: str | None = None, port: int = 0, clock: Clock | None = None, write_bytes: int | None = 7
    ) -> None:
        super().__init__(key=key, port=port, clock=clock, write_bytes=write_bytes)
        self.files = GeminiFiles(self.clock)
        self.max_request_bytes = 100 * _MIB
        self.max_page_size = 1000
        self.signatures = Signatures()
        self.add_model("gemini-4-argon", context_window=1_048_576, reasoning=True)
        self.add_model("gemini-3.8-flash", context_window=1_048_576, reasoning=True)
        self.add_model("gemini-2.5-flash", context_window=1_048_576, reasoning=True)
        self.add_model("gemma-4-31b-it", context_window=131_072)
        self.add_model("gemini-2.5-flash-preview-tts", context_window=8_192)
        self.add_model("gemini-3.1-flash-image", context_window=65_536)
        self.add_model("gemini-embedding-001", context_window=2_048)
        self.models["gemini-embedding-001"]["supportedGenerationMethods"] = ["embedContent", "countTextTokens"]

    @property
    def errors(self) -> GeminiErrors:
        """Factory of the API's error bodies."""
        return GeminiErrors()

    def order(self, answer: Answer) -> None:
        """Add an answer to the queue.

        Raises:
            NotImplementedError: the arguments of a call are no JSON object.
        """
        for call in answer.calls:
            if not isinstance(_parsed(call.arguments or "{}"), dict):
                raise NotImplementedError(f"Gemini sends arguments as an object, not as {call.arguments!r}")
        super().order(answer)

    def refuse(self) -> None:
        """Block the next request: 200 without candidates."""
        self.block("PROHIBITED_CONTENT")

    def block(self, reason: str) -> None:
        """Block the next request for ``reason``, a value of ``promptFeedback.blockReason``."""
        self.order(Answer(blocked=reason))

    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Add a chat model. The API's list does not show which models support images."""
        del vision
        self.models[model] = {
            "name": f"models/{model}",
            "version": "001",
            "displayName": model.replace("-", " ").title(),
            "description": f"The model {model}.",
            "inputTokenLimit": context_window,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
            "thinking": reasoning,
        }

    async def start(self) -> None:
        """Bind the port."""
        await super().start()
        self.files.base_url = self.base_url

    def _routes(self) -> Iterable[Route]:
        yield "GET", f"/{_VERSION}/models", self._list_models
        yield "GET", f"/{_VERSION}/models/{{model:[^/:]+}}", self._get_model
        yield "GET", f"/{_VERSION}/publishers/google/models", self._list_vertex_models
        vertex = f"/{_VERSION}/projects/{{project}}/locations/{{location}}/publishers/google"
        for path in (f"/{_VERSION}", f"/{_VERSION}/publishers/google", vertex):
            yield "POST", f"{path}/models/{_METHOD}", self._method
        yield from self.files.routes()

    # --- keys -------------------------------------------------------------------------------

    def _given_key(self, request: web.Request) -> str | None:
        if self.files.is_upload(request):
            return self.key
        return request.headers.get("x-goog-api-key") or request.query.get("key")

    def _check_key(self, request: web.Request) -> None:
        token = bearer_token(request)
        if "/publishers/" not in request.path or token is None:
            super()._check_key(request)
        elif token != self.key:
            raise Refusal(self.errors.wrong_token())

    # --- models -----------------------------------------------------------------------------

    async def _list_models(self, call: Call) -> web.StreamResponse:
        return self._page("models", list(self.models.values()), call)

    async def _list_vertex_models(self, call: Call) -> web.StreamResponse:
        models = [{"name": f"publishers/google/models/{model}", "versionId": "default"} for model in self.models]
        return self._page("publisherModels", models, call)

    def _page(self, name: str, items: list[dict[str, Any]], call: Call) -> web.StreamResponse:
        limit = self.max_page_size
        return web.json_response(page_of(name, items, call.request.query, default=min(50, limit), limit=limit))

    async def _get_model(self, call: Call) -> web.StreamResponse:
        return web.json_response(self._model(call))

    def _model(self, call: Call) -> dict[str, Any]:
        name = call.request.match_info["model"]
        found = self.models.get(name)
        if found is None:
            raise Refusal(self.errors.unknown_model(name))
        return found

    # --- answers ----------------------------------------------------------------------------

    async def _method(self, call: Call) -> web.StreamResponse:
        match call.request.match_info["method"]:
            case "generateContent":
                return await self._generate(call, stream=False)
            case "streamGenerateContent":
                return await self._generate(call, stream=True)
            case "countTokens":
                return self._count(call)
            case other:
                raise Refusal(self.errors.not_found(other))

    async def _generate(self, call: Call, *, stream: bool) -> web.StreamResponse:
        model = self._model(call)
        name = call.request.match_info["model"]
        body = self._checked(call, name, model)
        as_events = call.request.query.get("alt") == "sse"
        wire = GeminiWire(
            body.text,
            name,
            shows_thoughts=body.thinking.include_thoughts,
            sign=(lambda calls: self.signatures.make(name, calls)) if model.get("thinking") else None,
            array=stream and not as_events,
        )
        return await self._play(call, wire, body.question, stream=stream and as_events)

    def _checked(self, call: Call, name: str, model: dict[str, Any]) -> GenerateBody:
        if len(call.content) > self.max_request_bytes:
            message = f"Request payload size exceeds the limit: {self.max_request_bytes} bytes."
            raise Refusal(self.errors.invalid(message))
        body = read(GenerateBody, call.json)
        if "generateContent" not in model["supportedGenerationMethods"]:
            raise Refusal(self.errors.unknown_model(name))
        check_contents(body)
        check_thinking(name, body.thinking)
        check_modalities(name, body.modalities)
        check_tools(body, name, refused=self.refuses_tools)
        check_calls(body.contents)
        check_signatures(name, body.parts, self.signatures)
        check_signed_calls(name, body.contents, self.signatures)
        for part in body.parts:
            if part.file_data is not None:
                self.files.check(part.file_data)
        self._check_tokens(body, model)
        return body

    def _check_tokens(self, body: GenerateBody, model: dict[str, Any]) -> None:
        limit = min(self.context_window or model["inputTokenLimit"], model["inputTokenLimit"])
        if (tokens := _tokens(body)) > limit:
            raise Refusal(self.errors.too_long(tokens, limit))

    def _count(self, call: Call) -> web.StreamResponse:
        self._model(call)
        request = read(CountBody, call.json).request
        check_contents(request)
        tokens = _tokens(request)
        details = [{"modality": "TEXT", "tokenCount": tokens}]
        return web.json_response({"totalTokens": tokens, "promptTokensDetails": details})


def _parsed(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except ValueError:
        return None


def _tokens(body: GenerateBody) -> int:
    files = sum(part.inline_data is not None or part.file_data is not None for part in body.parts)
    return estimate_tokens(body.text) + _FILE_TOKENS * files
