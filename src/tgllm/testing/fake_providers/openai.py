"""Fake server of OpenAI's chat completions API, and of services with the same format."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web
from pydantic import ValidationError

from tgllm.api.clock import Clock
from tgllm.testing.fake_providers.base.bearer import bearer_token
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.base.errors import FakeError, Refusal
from tgllm.testing.fake_providers.base.openai_calls import CALL_FORMS
from tgllm.testing.fake_providers.base.openai_tools import broken_tools, unanswered, wrong_calls
from tgllm.testing.fake_providers.base.server import FakeServer, Route
from tgllm.testing.fake_providers.openai_api.body import ChatBody, all_text, complaint, has_image, question_of
from tgllm.testing.fake_providers.openai_api.dialects import DIALECTS, FakeModel
from tgllm.testing.fake_providers.openai_api.wire import OpenAIWire
from tgllm.testing.fake_providers.openai_errors import LlamaErrors, OpenAIErrors

__all__ = ["FakeOpenAI"]

_NO_CHAT = "text-embedding-3-small"


class FakeOpenAI(FakeServer):
    """Models and chat completions in one of ``DIALECTS``, below ``/v1``; local servers have their own API beside it."""

    default_key = "sk-fake-openai-key"
    models_of: ClassVar[Mapping[str, tuple[FakeModel, ...]]] = {
        "openai": (
            FakeModel("gpt-4.1", 1_000_000, vision=True),
            FakeModel("gpt-6-luna", 1_050_000, vision=True, reasoning=True, fixed=True),
        ),
    }
    """Models at the start, by dialect; the others have ``small`` and ``large``."""

    call_forms: ClassVar[frozenset[str]] = CALL_FORMS

    def __init__(
        self,
        dialect: str = "openai",
        *,
        key: str | None = None,
        port: int = 0,
        clock: Clock | None = None,
        write_bytes: int | None = 7,
    ) -> None:
        super().__init__(key=key, port=port, clock=clock, write_bytes=write_bytes)
        self.dialect = DIALECTS[dialect]
        self.details: dict[str, FakeModel] = {}
        """What the models can do, by id."""
        self.loaded: dict[str, int] = {}
        """Windows of the models that a local server has in memory, by id; ``GET /api/ps`` of Ollama."""
        self.loading = 0
        """How many further requests for an answer are refused because the model is loading."""
        others = (FakeModel("small", 8192), FakeModel("large", 131_072, vision=True, reasoning=True))
        for model in self.models_of.get(dialect, others):
            self._add(model)

    @property
    def base_url(self) -> str:
        """Base URL with the version."""
        return f"{super().base_url}/v1"

    @property
    def errors(self) -> OpenAIErrors:
        """Factory of the API's error bodies."""
        return LlamaErrors() if self.dialect.local == "llama_cpp" else OpenAIErrors()

    def refuse(self) -> None:
        """Block the next request by the content filter: 400."""
        self.answer(error=self.errors.filtered())

    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Add a model; how much of it the list tells depends on the dialect."""
        self._add(FakeModel(model, context_window, vision, reasoning))

    def _add(self, model: FakeModel) -> None:
        self.details[model.id] = model
        self.models[model.id] = {"id": model.id, "object": "model", "owned_by": "fake", **self.dialect.entry(model)}

    def _routes(self) -> Iterable[Route]:
        yield "GET", f"/v1{self.dialect.models_path}", self._list_models
        yield "POST", "/v1/chat/completions", self._chat
        match self.dialect.local:
            case "llama_cpp":
                yield "GET", "/props", self._props
            case "ollama":
                yield "GET", "/api/ps", self._running
                yield "POST", "/api/show", self._show
            case "lm_studio":
                yield "GET", "/api/v1/models", self._lm_studio
            case _:
                pass

    def _given_key(self, request: web.Request) -> str | None:
        return bearer_token(request) or request.headers.get("api-key")

    def _check_key(self, request: web.Request) -> None:
        if self.dialect.needs_key:
            super()._check_key(request)

    # --- models and answers -----------------------------------------------------------------

    async def _list_models(self, _call: Call) -> web.StreamResponse:
        entries = [*self.models.values(), {"id": _NO_CHAT, "object": "model", "owned_by": "fake"}]
        if self.dialect.is_bare_list:
            return web.json_response(entries)
        name = "models" if self.dialect.models_path != "/models" else "data"
        return web.json_response({"object": "list", name: entries})

    async def _chat(self, call: Call) -> web.StreamResponse:
        body = self._checked(call.json)
        wire = OpenAIWire(all_text(body), body.model, self.dialect, thinks=body.thinks, asks_usage=body.asks_usage)
        return await self._play(call, wire, question_of(body), stream=body.stream)

    def _checked(self, raw: object) -> ChatBody:
        if self.loading:
            self.loading -= 1
            raise Refusal(LlamaErrors().loading())
        try:
            body = ChatBody.model_validate(raw)
        except ValidationError as error:
            raise Refusal(self.errors.invalid(complaint(error)[0])) from None
        for name in body.model_fields_set:
            if self.dialect.fields is not None and name not in self.dialect.fields:
                raise Refusal(self._unknown_field(name))
        model = self.details.get(body.model)
        if model is None:
            raise Refusal(self.errors.unknown_model(body.model))
        self._check_model(model, body)
        self._check_tools(model, body)
        self._check_length(all_text(body))
        return body

    def _unknown_field(self, name: str) -> FakeError:
        if self.dialect.name == "groq":
            return self.errors.invalid(f"property '{name}' is unsupported")
        return self.errors.unknown_field(name)

    def _check_model(self, model: FakeModel, body: ChatBody) -> None:
        if has_image(body) and not model.vision:
            raise Refusal(self.errors.no_images())
        if body.stream_options is not None and not body.stream:
            raise Refusal(
                self.errors.invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
            )
        if model.fixed and body.max_tokens is not None:
            raise Refusal(self.errors.unsupported_field("max_tokens", "max_completion_tokens"))
        if model.fixed and body.temperature not in {None, 1.0} and body.reasoning_effort != "none":
            raise Refusal(self.errors.unsupported_value("temperature", body.temperature))

    def _check_tools(self, model: FakeModel, body: ChatBody) -> None:
        if body.tools and self.refuses_tools:
            raise Refusal(self.errors.no_tools(model.id, self.dialect.name))
        problem = broken_tools(body.tools, body.tool_choice) or wrong_calls(body.messages) or unanswered(body.messages)
        if problem:
            raise Refusal(self.errors.invalid(problem))
        if body.parallel_tool_calls is not None and not body.tools:
            raise Refusal(
                self.errors.invalid("Invalid value for 'parallel_tool_calls': only allowed when 'tools' are specified.")
            )
        if body.tools and model.fixed and body.reasoning_effort != "none":
            raise Refusal(self.errors.tools_while_reasoning(model.id))

    # --- the own API of local servers ---------------------------------------------------------

    async def _props(self, _call: Call) -> web.StreamResponse:
        model = next(iter(self.details.values()))
        settings = {"n_ctx": model.context_window}
        modalities = {"vision": model.vision, "audio": False}
        return web.json_response(
            {"default_generation_settings": settings, "total_slots": 1, "modalities": modalities, "chat_template": ""}
        )

    async def _running(self, _call: Call) -> web.StreamResponse:
        running = [{"name": name, "model": name, "context_length": window} for name, window in self.loaded.items()]
        return web.json_response({"models": running})

    async def _show(self, call: Call) -> web.StreamResponse:
        asked: Any = call.json
        model = self.details.get(str(asked.get("model")))
        if model is None:
            return web.json_response({"error": f"model '{asked.get('model')}' not found"}, status=404)
        flags = {"vision": model.vision, "thinking": model.reasoning, "tools": model.tools}
        capabilities = ["completion", *(name for name, is_so in flags.items() if is_so)]
        info = {"general.architecture": "llama", "llama.context_length": model.context_window}
        return web.json_response({"model_info": info, "parameters": "", "capabilities": capabilities})

    async def _lm_studio(self, _call: Call) -> web.StreamResponse:
        return web.json_response({"models": [self._lm_entry(model) for model in self.details.values()]})

    def _lm_entry(self, model: FakeModel) -> Mapping[str, Any]:
        window = self.loaded.get(model.id)
        return {
            "type": "llm",
            "key": model.id,
            "max_context_length": model.context_window,
            "capabilities": {"vision": model.vision, "trained_for_tool_use": model.tools},
            "loaded_instances": [] if window is None else [{"id": model.id, "config": {"context_length": window}}],
        }
