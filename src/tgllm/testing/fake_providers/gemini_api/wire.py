"""Response format of the Gemini API."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tgllm.api.events import FileDelta
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError
from tgllm.testing.fake_providers.base.wire import Wire, estimate_tokens

__all__ = ["GeminiWire"]


class GeminiWire(Wire):
    """Each event is a whole GenerateContentResponse, ended by CR LF CR LF; nothing marks the end of the stream.

    ``sign`` creates the signature of the answer; None for models without reasoning. ``array``: the response is a JSON
    array, because the request asked for a stream without ``alt=sse``.
    """

    def __init__(
        self, question: str, model: str, *, shows_thoughts: bool, sign: Callable[[], str] | None, array: bool = False
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

    def end(self, answer: Answer) -> bytes:
        """Return finish reason and usage, with the signature on an empty part."""
        if answer.blocked is not None:
            return self._line(self._blocked(answer))
        last = [] if _is_filtered(answer) else [self._signed({"text": ""})]
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
            body = self._response([*parts, self._signed({"text": answer.text}), *pictures], answer)
        return [body] if self._array else body

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
        return part if self._sign is None else {**part, "thoughtSignature": self._sign()}

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


def _is_filtered(answer: Answer) -> bool:
    return answer.finish in {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
