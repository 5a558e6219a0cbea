"""Fake server of the Mistral API."""

from collections.abc import Iterable
from typing import Any, ClassVar

from aiohttp import web
from pydantic import ValidationError

from tgllm.api.clock import Clock
from tgllm.testing.fake_providers.base.bearer import bearer_token
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.base.openai_tools import broken_tools
from tgllm.testing.fake_providers.base.server import FakeServer, Route
from tgllm.testing.fake_providers.base.uploads import StoredFile, Uploads
from tgllm.testing.fake_providers.mistral_api.body import ChatBody, invalid_fields, question_of, text_of
from tgllm.testing.fake_providers.mistral_api.order import wrong_ids, wrong_order
from tgllm.testing.fake_providers.mistral_api.wire import MistralWire
from tgllm.testing.fake_providers.mistral_errors import MistralErrors

__all__ = ["FakeMistral"]

_PURPOSES = frozenset({"ocr", "batch", "fine-tune"})
_FILE_SECONDS = 30 * 24 * 3600.0


class FakeMistral(FakeServer):
    """Models, chat completions and files; unknown fields are refused, as by the real API."""

    default_key = "fake-mistral-key"
    call_forms: ClassVar[frozenset[str]] = frozenset({"whole", "arguments as an object"})

    def __init__(
        self, *, key: str | None = None, port: int = 0, clock: Clock | None = None, write_bytes: int | None = 7
    ) -> None:
        super().__init__(key=key, port=port, clock=clock, write_bytes=write_bytes)
        self.uploads = Uploads("00000000-0000-4000-8000-{:012d}")
        self.add_model("mistral-medium-3-5", context_window=262_144, vision=True, reasoning=True)
        self.add_model("mistral-small-2603", context_window=262_144, vision=True, reasoning=True)
        self.add_model("mistral-small-latest", context_window=262_144, vision=True, reasoning=True)
        self.add_model("codestral-2508", context_window=131_072)
        self.add_model("mistral-ocr-4-1", context_window=16_384, vision=True)
        self.models["mistral-small-2603"]["aliases"] = ["mistral-small-latest"]
        self.models["mistral-small-latest"]["aliases"] = ["mistral-small-2603"]
        self.models["mistral-ocr-4-1"]["capabilities"].update(completion_chat=False, ocr=True)

    @property
    def errors(self) -> MistralErrors:
        """Factory of the API's error bodies."""
        return MistralErrors()

    def refuse(self) -> None:
        """Block the next request by a guardrail: 403."""
        self.answer(error=self.errors.guarded())

    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Add a chat model."""
        self.models[model] = {
            "id": model,
            "object": "model",
            "created": 1_773_000_000,
            "owned_by": "mistralai",
            "capabilities": _capabilities(vision=vision, reasoning=reasoning),
            "name": model,
            "description": f"The model {model}.",
            "max_context_length": context_window,
            "aliases": [],
            "deprecation": None,
            "deprecation_replacement_model": None,
            "default_model_temperature": 0.3,
            "type": "base",
        }

    def _routes(self) -> Iterable[Route]:
        return (
            ("GET", "/v1/models", self._list_models),
            ("GET", "/v1/models/{model}", self._get_model),
            ("POST", "/v1/chat/completions", self._chat),
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files", self._list_files),
            ("GET", "/v1/files/{file}", self._get_file),
            ("GET", "/v1/files/{file}/url", self._get_file_url),
            ("DELETE", "/v1/files/{file}", self._delete_file),
        )

    def _given_key(self, request: web.Request) -> str | None:
        return bearer_token(request)

    # --- models and answers -----------------------------------------------------------------

    async def _list_models(self, _call: Call) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": list(self.models.values())})

    async def _get_model(self, call: Call) -> web.StreamResponse:
        return web.json_response(self._model(call.request.match_info["model"]))

    async def _chat(self, call: Call) -> web.StreamResponse:
        body = self._checked(call.json)
        wire = MistralWire(_all_text(body), body.model, reasons=body.reasoning_effort != "none")
        return await self._play(call, wire, question_of(body), stream=body.stream)

    def _checked(self, raw: object) -> ChatBody:
        try:
            body = ChatBody.model_validate(raw)
        except ValidationError as error:
            raise Refusal(self.errors.invalid_fields(invalid_fields(error))) from None
        self._check_max_tokens(body)
        self._check_messages(body)
        self._check_length(_all_text(body))
        return body

    def _check_max_tokens(self, body: ChatBody) -> None:
        window = self._model(body.model)["max_context_length"]
        if body.max_tokens is not None and body.max_tokens >= window:
            detail = {"loc": ["body", "max_tokens"], "msg": f"must be below {window}", "type": "value_error"}
            raise Refusal(self.errors.invalid_fields([detail]))

    def _check_messages(self, body: ChatBody) -> None:
        problem = wrong_order(body.messages) or wrong_ids(body.messages)
        if problem:
            raise Refusal(self.errors.invalid(*problem))
        wrong = broken_tools([tool.model_dump() for tool in body.tools] if body.tools else None, None)
        if wrong:
            raise Refusal(self.errors.invalid(wrong))
        if body.tools and self.refuses_tools:
            raise Refusal(self.errors.invalid("Function calling is not enabled for this model"))

    def _call_id(self, number: int) -> str:
        return f"call{number:05d}"

    def _model(self, model: str) -> dict[str, Any]:
        found = self.models.get(model)
        if found is None:
            raise Refusal(self.errors.unknown_model(model))
        return found

    # --- files ------------------------------------------------------------------------------

    async def _upload(self, call: Call) -> web.StreamResponse:
        if (purpose := call.form.get("purpose", "fine-tune")) not in _PURPOSES:
            raise Refusal(self.errors.invalid(f"Invalid purpose: {purpose}"))
        file = self.uploads.from_form(call, self.clock.now(), _FILE_SECONDS)
        if file is None:
            detail = {"loc": ["body", "file"], "msg": "Field required", "type": "missing", "input": None}
            raise Refusal(self.errors.invalid_fields([detail]))
        return web.json_response(_file_json(file))

    async def _list_files(self, _call: Call) -> web.StreamResponse:
        data = [_file_json(file) for file in self.uploads.files.values()]
        return web.json_response({"object": "list", "data": data, "total": len(data)})

    async def _get_file(self, call: Call) -> web.StreamResponse:
        return web.json_response({**_file_json(self._file(call)), "deleted": False})

    async def _get_file_url(self, call: Call) -> web.StreamResponse:
        return web.json_response({"url": f"{self.base_url}/signed/{self._file(call).id}"})

    async def _delete_file(self, call: Call) -> web.StreamResponse:
        file = self._file(call)
        del self.uploads.files[file.id]
        return web.json_response({"id": file.id, "object": "file", "deleted": True})

    def _file(self, call: Call) -> StoredFile:
        name = call.request.match_info["file"]
        file = self.uploads.files.get(name)
        if file is None:
            raise Refusal(self.errors.not_found(name))
        return file


def _capabilities(*, vision: bool, reasoning: bool) -> dict[str, bool]:
    absent = ("completion_fim", "fine_tuning", "ocr", "classification", "moderation", "audio", "audio_transcription")
    present = {"completion_chat": True, "function_calling": True, "reasoning": reasoning, "vision": vision}
    return {**present, **dict.fromkeys(absent, False)}


def _all_text(body: ChatBody) -> str:
    return "".join(text_of(message) for message in body.messages)


def _file_json(file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at,
        "filename": file.name,
        "purpose": file.purpose,
        "sample_type": f"{file.purpose}_input",
        "source": "upload",
        "mimetype": file.mime_type,
    }
