"""Fake server of the DeepSeek API."""

from collections.abc import Iterable
from typing import Any, ClassVar

from aiohttp import web
from pydantic import ValidationError

from tgllm.api.clock import Clock
from tgllm.testing.fake_providers.base.bearer import bearer_token
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.base.openai_tools import broken_tools, unanswered, wrong_calls
from tgllm.testing.fake_providers.base.server import FakeServer, Route
from tgllm.testing.fake_providers.base.uploads import StoredFile, Uploads
from tgllm.testing.fake_providers.dipseek_api.body import ChatBody, Message, all_text, complaint, has_image, question_of
from tgllm.testing.fake_providers.dipseek_api.wire import DipseekWire
from tgllm.testing.fake_providers.dipseek_errors import DipseekErrors

__all__ = ["FakeDipseek"]

_PURPOSES = frozenset({"user_data", "text_recognition", "rich_layout_recognition"})
_MAX_USER_ID_BYTES = 512
_NO_IMAGES = (
    "Failed to deserialize the JSON body into the target type: messages[{}]: unknown variant `image_url`, "
    "expected `text` at line 1 column 1"
)
_NO_REASONING = "The `reasoning_content` in the thinking mode must be passed back to the API."


_NO_CHOICE = "Thinking mode does not support this tool_choice"


class FakeDipseek(FakeServer):
    """Models, balance, chat completions and files, with and without ``/v1`` in the path."""

    default_key = "fake-dipseek-key"
    call_forms: ClassVar[frozenset[str]] = frozenset({"whole", "all in one chunk", "mixed", "empty pieces"})

    def __init__(
        self, *, key: str | None = None, port: int = 0, clock: Clock | None = None, write_bytes: int | None = 7
    ) -> None:
        super().__init__(key=key, port=port, clock=clock, write_bytes=write_bytes)
        self.uploads = Uploads("file-api-{:08d}")
        self.balance = "110.00"
        """Account balance in US dollars, as a decimal; at zero every request for an answer is refused with 402."""
        self._sighted: set[str] = set()
        self.add_model("deepseek-flash", context_window=1_000_000, vision=True, reasoning=True)
        self.add_model("deepseek-v4-pro", context_window=1_000_000, reasoning=True)

    @property
    def errors(self) -> DipseekErrors:
        """Factory of the API's error bodies."""
        return DipseekErrors()

    def refuse(self) -> None:
        """Block the next request by the content filter: 400."""
        self.answer(error=self.errors.risky())

    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Add a model. The API's list has only its id, and every model reasons."""
        del context_window, reasoning
        self.models[model] = {"id": model, "object": "model", "owned_by": "deepseek"}
        if vision:
            self._sighted.add(model)

    def _routes(self) -> Iterable[Route]:
        for prefix in ("", "/v1"):
            yield "GET", f"{prefix}/models", self._list_models
            yield "GET", f"{prefix}/user/balance", self._balance
            yield "POST", f"{prefix}/chat/completions", self._chat
            yield "POST", f"{prefix}/files", self._upload
            yield "GET", f"{prefix}/files", self._list_files
            yield "GET", f"{prefix}/files/{{file}}", self._get_file
            yield "DELETE", f"{prefix}/files/{{file}}", self._delete_file

    def _given_key(self, request: web.Request) -> str | None:
        return bearer_token(request)

    # --- models and answers -----------------------------------------------------------------

    async def _list_models(self, _call: Call) -> web.StreamResponse:
        return web.json_response({"object": "list", "data": list(self.models.values())})

    async def _balance(self, _call: Call) -> web.StreamResponse:
        info = {
            "currency": "USD",
            "total_balance": self.balance,
            "granted_balance": "0.00",
            "topped_up_balance": self.balance,
        }
        return web.json_response({"is_available": self._has_credit(), "balance_infos": [info]})

    async def _chat(self, call: Call) -> web.StreamResponse:
        body = self._checked(call.json)
        wire = DipseekWire(all_text(body), body.model, thinks=body.thinks)
        return await self._play(call, wire, question_of(body), stream=body.stream)

    def _has_credit(self) -> bool:
        return float(self.balance) > 0

    def _checked(self, raw: object) -> ChatBody:
        try:
            body = ChatBody.model_validate(raw)
        except ValidationError as error:
            raise Refusal(self.errors.invalid_parameters(complaint(error))) from None
        if not self._has_credit():
            raise Refusal(self.errors.out_of_quota())
        if body.model not in self.models:
            raise Refusal(self.errors.unknown_model(body.model))
        if len((body.user_id or "").encode()) > _MAX_USER_ID_BYTES:
            raise Refusal(self.errors.invalid_parameters(f"user_id must be at most {_MAX_USER_ID_BYTES} bytes"))
        self._check_messages(body)
        self._check_tools(body)
        self._check_length(all_text(body))
        return body

    def _check_messages(self, body: ChatBody) -> None:
        for number, message in enumerate(body.messages):
            if has_image(message) and body.model not in self._sighted:
                raise Refusal(self.errors.invalid(_NO_IMAGES.format(number)))
            if body.thinks and self._lacks_reasoning(message):
                raise Refusal(self.errors.invalid(_NO_REASONING))
            for part in message.parts:
                if part.type == "file" and part.file_id not in self.uploads.files:
                    raise Refusal(self.errors.not_found(str(part.file_id)))

    def _check_tools(self, body: ChatBody) -> None:
        problem = broken_tools(body.tools, body.tool_choice) or wrong_calls(body.messages) or unanswered(body.messages)
        if problem:
            raise Refusal(self.errors.invalid(problem))
        if body.tools and self.refuses_tools:
            raise Refusal(self.errors.invalid(f"{body.model} does not support Function Calling"))
        if body.thinks and self._is_forced(body):
            raise Refusal(self.errors.invalid(_NO_CHOICE))

    def _lacks_reasoning(self, message: Message) -> bool:
        return bool(message.tool_calls) and message.reasoning_content is None

    def _is_forced(self, body: ChatBody) -> bool:
        return isinstance(body.tool_choice, dict) or body.tool_choice == "required"

    # --- files ------------------------------------------------------------------------------

    async def _upload(self, call: Call) -> web.StreamResponse:
        if call.recorded.form_order[:1] != ("purpose",):
            raise Refusal(self.errors.invalid("`purpose` must come before `file`"))
        if (purpose := call.form["purpose"]) not in _PURPOSES:
            raise Refusal(self.errors.invalid(f"Invalid purpose: {purpose}"))
        lifetime = call.form.get("expires_after[seconds]")
        file = self.uploads.from_form(call, self.clock.now(), float(lifetime) if isinstance(lifetime, str) else None)
        if file is None:
            raise Refusal(self.errors.invalid("`file` is required"))
        return web.json_response(_file_json(file))

    async def _list_files(self, _call: Call) -> web.StreamResponse:
        data = [_file_json(file) for file in self.uploads.files.values()]
        return web.json_response({"object": "list", "data": data, "has_more": False})

    async def _get_file(self, call: Call) -> web.StreamResponse:
        return web.json_response(_file_json(self._file(call)))

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


def _file_json(file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at,
        "filename": file.name,
        "purpose": file.purpose,
        "expires_at": file.expires_at,
    }
