"""Fake server of Anthropic's Messages API."""

from collections.abc import Iterable
from typing import TypeVar

from aiohttp import web

from tgllm.api.clock import Clock
from tgllm.testing.fake_providers.anthropic_api.body import CountBody, DocumentBlock, ImageBlock, MessagesBody
from tgllm.testing.fake_providers.anthropic_api.cache import PromptCache
from tgllm.testing.fake_providers.anthropic_api.checks import (
    check_answer,
    check_conversation,
    check_version,
    is_thinking,
    read,
)
from tgllm.testing.fake_providers.anthropic_api.models import MODELS, FakeModel
from tgllm.testing.fake_providers.anthropic_api.signatures import Signatures
from tgllm.testing.fake_providers.anthropic_api.tool_checks import check_calls, check_tools
from tgllm.testing.fake_providers.anthropic_api.wire import CALL_FORMS, AnthropicWire
from tgllm.testing.fake_providers.anthropic_errors import AnthropicErrors
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.bearer import bearer_token
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.base.server import FakeServer, Route
from tgllm.testing.fake_providers.base.wire import estimate_tokens

__all__ = ["FakeAnthropic"]

B = TypeVar("B", bound=CountBody)

_FILE_TOKENS = 1_500
_MAX_REQUEST = 32 * 10**6


class FakeAnthropic(FakeServer):
    """Models with pagination, answers and token counts.

    ``signatures`` are the issued signatures of reasoning, ``cache`` is the prompt cache; ``max_page_size`` is the
    maximum size of a page of the list of models, ``max_request_bytes`` that of a request.
    """

    default_key = "sk-ant-fake-key"
    has_done = False
    call_forms = CALL_FORMS

    def __init__(
        self, *, key: str | None = None, port: int = 0, clock: Clock | None = None, write_bytes: int | None = 7
    ) -> None:
        super().__init__(key=key, port=port, clock=clock, write_bytes=write_bytes)
        self.details: dict[str, FakeModel] = {}
        """What the models accept, by id."""
        self.signatures = Signatures()
        self.cache = PromptCache()
        self.max_page_size = 1000
        self.max_request_bytes = _MAX_REQUEST
        for model in MODELS:
            self._add(model)

    @property
    def errors(self) -> AnthropicErrors:
        """Factory of the API's error bodies."""
        return AnthropicErrors()

    def refuse(self) -> None:
        """Block the next answer: 200 with the stop reason ``refusal`` and without content."""
        self.order(Answer(finish="refusal"))

    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Add a model; with ``reasoning`` it is like those of version 5.5."""
        kinds = frozenset({"adaptive", "disabled"}) if reasoning else frozenset({"disabled"})
        efforts = FakeModel("").efforts if reasoning else frozenset[str]()
        self._add(
            FakeModel(model, window=context_window, thinking=kinds, is_on=reasoning, efforts=efforts, files=vision)
        )

    def _add(self, model: FakeModel) -> None:
        self.details[model.id] = model
        self.models[model.id] = model.entry

    def _routes(self) -> Iterable[Route]:
        yield "GET", "/v1/models", self._list_models
        yield "GET", "/v1/models/{model}", self._get_model
        yield "POST", "/v1/messages", self._answered
        yield "POST", "/v1/messages/count_tokens", self._counted

    def _given_key(self, request: web.Request) -> str | None:
        return request.headers.get("x-api-key") or bearer_token(request)

    def _call_id(self, number: int) -> str:
        return f"toolu_{number:024d}"

    # --- models -----------------------------------------------------------------------------

    async def _list_models(self, call: Call) -> web.StreamResponse:
        check_version(call.request.headers.get("anthropic-version"))
        query, names = call.request.query, list(self.models)
        limit = int(query.get("limit", "20"))
        if not 1 <= limit <= 1000:
            raise Refusal(self.errors.invalid("limit: Input should be between 1 and 1000"))
        after = query.get("after_id")
        if after is not None and after not in names:
            raise Refusal(self.errors.invalid(f"after_id: {after!r} is not a model"))
        start = 0 if after is None else names.index(after) + 1
        page = names[start : start + min(limit, self.max_page_size)]
        return web.json_response(
            {
                "data": [self.models[name] for name in page],
                "has_more": start + len(page) < len(names),
                "first_id": page[0] if page else None,
                "last_id": page[-1] if page else None,
            }
        )

    async def _get_model(self, call: Call) -> web.StreamResponse:
        check_version(call.request.headers.get("anthropic-version"))
        name = call.request.match_info["model"]
        if name not in self.models:
            raise Refusal(self.errors.unknown_model(name))
        return web.json_response(self.models[name])

    # --- answers ----------------------------------------------------------------------------

    async def _answered(self, call: Call) -> web.StreamResponse:
        body, model, version = self._checked(MessagesBody, call)
        check_answer(body, model, version)
        self._check_length(body.text)
        thinks = is_thinking(body, model)
        display = body.thinking.display if body.thinking else None
        wire = AnthropicWire(
            body.text,
            model.id,
            sign=(lambda words: self.signatures.sign(model.id, words)) if thinks else None,
            shows=display == "summarized" or (display is None and model.shows),
            cached=self.cache.use(body),
        )
        return await self._play(call, wire, body.question, stream=body.stream)

    async def _counted(self, call: Call) -> web.StreamResponse:
        body, _, _ = self._checked(CountBody, call)
        files = sum(isinstance(block, ImageBlock | DocumentBlock) for _, block in body.blocks)
        return web.json_response({"input_tokens": estimate_tokens(body.text) + files * _FILE_TOKENS})

    def _checked(self, kind: type[B], call: Call) -> tuple[B, FakeModel, str]:
        version = check_version(call.request.headers.get("anthropic-version"))
        if len(call.content) > self.max_request_bytes:
            raise Refusal(self.errors.too_large())
        body = read(kind, call.json)
        model = self.details.get(body.model)
        if model is None:
            raise Refusal(self.errors.unknown_model(body.model))
        check_conversation(body, model, version, self.signatures)
        check_tools(body, model)
        check_calls(body)
        return body, model, version
