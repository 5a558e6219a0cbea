"""Response format of the Gemini API."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

from tgllm.api.events import FileDelta, ToolCall
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError
from tgllm.testing.fake_providers.base.wire import Wire, estimate_tokens
from tgllm.testing.fake_providers.gemini_api.signatures import signed_calls
from tgllm.testing.fake_providers.gemini_api.tools import FunctionCall

__all__ = ["CALL_FORMS", "GeminiWire"]

CALL_FORMS = frozenset({"no ids", "apart", "repeated", "signature on a text"})
"""Calls without ids, each in its own event, once more without their signature, or with it on an empty text."""


class GeminiWire(Wire):
    """Each event is a whole GenerateContentResponse, ended by CR LF CR LF; nothing marks the end of the stream.

    ``sign`` creates the signature of an answer with such calls (see ``signed_calls``); None for models without
    reasoning. ``array``: the response is a JSON
    array, because the request asked for a stream without ``alt=sse``.
    """

    def __init__(
        self,
        question: str,
        model: str,
        *,
        shows_thoughts: bool,
        sign: Callable[[str], str] | None,
        array: bool = False,
    ) -> None:
        super().__init__(question)
        self._model = model
        self._shows_thoughts = shows_thoughts
        self._sign = sign
        self._array = array

    def keep_alive(self) -> bytes:
        """Return a comment; the real API is not known to send any."""
        return b": keep-alive\r\n\r\n"

    def text(self, text: str) -> bytes:
        """Return a part with text."""
        return self._event([{"text": text}])

    def reasoning(self, text: str) -> bytes:
        """Return a part marked as a thought; empty if the request did not ask for thoughts."""
        return self._event([{"text": text, "thought": True}]) if self._shows_thoughts else b""

    def file(self, file: FileDelta) -> bytes:
        """Return a part with a picture, with a signature."""
        return self._event([self._picture(file)])

    def calls(self, calls: Sequence[ToolCall], form: str) -> bytes:
        """Return parts with calls, the first with the signature of all; see ``CALL_FORMS``."""
        parts = self._called(calls, with_ids=form != "no ids")
        bare = [{"functionCall": part["functionCall"]} for part in parts]
        match form:
            case "apart":
                return b"".join(self._event([part]) for part in parts)
            case "repeated":
                return self._event(parts) + self._event(bare)
            case "signature on a text":
                proof = {name: value for name, value in parts[0].items() if name != "functionCall"}
                return self._event([*bare, {"text": "", **proof}])
            case _:
                return self._event(parts)

    def end(self, answer: Answer) -> bytes:
        """Return finish reason and usage, with the signature on an empty part unless it was with calls."""
        if answer.blocked is not None:
            return self._line(self._blocked(answer))
        last = [] if _is_filtered(answer) or answer.calls else [self._signed({"text": ""})]
        return self._line(self._response(last, answer))

    def error(self, error: FakeError) -> bytes:
        """Return the error's body as an event."""
        return b"data: " + error.content + b"\r\n\r\n"

    def whole(self, answer: Answer) -> object:
        """Return a GenerateContentResponse."""
        if answer.blocked is not None:
            body = self._blocked(answer)
        else:
            thoughts = answer.reasoning if self._shows_thoughts else ""
            parts: list[dict[str, Any]] = [{"text": thoughts, "thought": True}] if thoughts else []
            pictures = [self._picture(step) for step in answer.steps if isinstance(step, FileDelta)]
            if answer.calls:
                said = [{"text": answer.text}] if answer.text else []
                spoken = [*said, *self._called(answer.calls)]
            else:
                spoken = [self._signed({"text": answer.text})]
            body = self._response([*parts, *spoken, *pictures], answer)
        return [body] if self._array else body

    def _called(self, calls: Sequence[ToolCall], *, with_ids: bool = True) -> list[dict[str, Any]]:
        found = [_call(call, with_id=with_ids) for call in calls]
        parts: list[dict[str, Any]] = [{"functionCall": call.model_dump(exclude_none=True)} for call in found]
        if self._sign is not None:
            parts[0]["thoughtSignature"] = self._sign(signed_calls(found))
        return parts

    def _picture(self, file: FileDelta) -> dict[str, Any]:
        data = {"mimeType": file.mime_type, "data": base64.b64encode(file.content).decode()}
        return self._signed({"inlineData": data})

    def _event(self, parts: list[dict[str, Any]]) -> bytes:
        # Every chunk has a usage; only that of the last one is complete.
        asked = estimate_tokens(self._question)
        so_far = {"promptTokenCount": asked, "totalTokenCount": asked}
        return self._line({"candidates": [_candidate(parts)], "usageMetadata": so_far, **self._tail()})

    def _response(self, parts: list[dict[str, Any]], answer: Answer) -> dict[str, Any]:
        candidate = {**_candidate(parts), "finishReason": answer.finish or "STOP"}
        if _is_filtered(answer):
            candidate["safetyRatings"] = [
                {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
            ]
        return {"candidates": [candidate], "usageMetadata": self._usage(answer), **self._tail()}

    def _blocked(self, answer: Answer) -> dict[str, Any]:
        asked = estimate_tokens(self._question)
        return {
            "promptFeedback": {"blockReason": answer.blocked},
            "usageMetadata": {"promptTokenCount": asked, "totalTokenCount": asked},
            **self._tail(),
        }

    def _signed(self, part: dict[str, Any]) -> dict[str, Any]:
        return part if self._sign is None else {**part, "thoughtSignature": self._sign("")}

    def _tail(self) -> dict[str, str]:
        return {"modelVersion": self._model, "responseId": "fake-response"}

    def _line(self, body: dict[str, Any]) -> bytes:
        return f"data: {json.dumps(body, ensure_ascii=False)}\r\n\r\n".encode()

    def _usage(self, answer: Answer) -> dict[str, Any]:
        usage = self.usage_of(answer)
        asked, answered, thought = usage.input_tokens or 0, usage.output_tokens or 0, usage.reasoning_tokens or 0
        return {
            "promptTokenCount": asked,
            "candidatesTokenCount": answered - thought,
            "thoughtsTokenCount": thought,
            "cachedContentTokenCount": usage.cached_tokens or 0,
            "totalTokenCount": asked + answered,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked}],
        }


def _candidate(parts: list[dict[str, Any]]) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    return candidate


def _call(call: ToolCall, *, with_id: bool) -> FunctionCall:
    return FunctionCall(id=call.id if with_id else None, name=call.name, args=json.loads(call.arguments or "{}"))


def _is_filtered(answer: Answer) -> bool:
    return answer.finish in {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
