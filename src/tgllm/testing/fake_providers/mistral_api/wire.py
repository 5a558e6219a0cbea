"""Response format of the Mistral API."""

import json
from collections.abc import Sequence
from typing import Any

from tgllm.api.events import ToolCall
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError
from tgllm.testing.fake_providers.base.openai_calls import fragments, whole_calls
from tgllm.testing.fake_providers.base.wire import Wire

__all__ = ["MistralWire"]

_CREATED = 1_773_842_038


class MistralWire(Wire):
    """Chunks of ``chat.completion.chunk``; reasoning comes as lists of thinking chunks, text as strings."""

    def __init__(self, question: str, model: str, *, reasons: bool) -> None:
        super().__init__(question)
        self._model = model
        self._reasons = reasons
        self._thinking = False

    def begin(self) -> bytes:
        """Return the role with an empty content."""
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        """Return a string; the first one after reasoning is in the list that closes the reasoning."""
        if not self._thinking:
            return self._chunk({"content": text})
        self._thinking = False
        closing = {"type": "thinking", "thinking": [{"type": "text", "text": ""}], "closed": True}
        return self._chunk({"content": [closing, {"type": "text", "text": text}]})

    def reasoning(self, text: str) -> bytes:
        """Return a list with one thinking chunk; empty if reasoning is disabled."""
        if not self._reasons:
            return b""
        self._thinking = True
        return self._chunk({"content": [_thinking(text)]})

    def calls(self, calls: Sequence[ToolCall], form: str) -> bytes:
        """Return all calls in one chunk, as the API does, or in another form."""
        return b"".join(self._chunk({"tool_calls": each}) for each in fragments(calls, form or "all in one chunk"))

    def end(self, answer: Answer) -> bytes:
        """Return finish reason and usage in one chunk, then ``[DONE]``."""
        return (
            self._chunk({"content": ""}, finish_reason=_finish(answer), usage=self._usage(answer)) + b"data: [DONE]\n\n"
        )

    def error(self, error: FakeError) -> bytes:
        """Return the error's body as an event."""
        return b"data: " + error.content + b"\n\n"

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return a ``chat.completion``; with reasoning its content is a list."""
        content: object = answer.text
        if answer.reasoning and self._reasons:
            content = [_thinking(answer.reasoning), {"type": "text", "text": answer.text}]
        message = {"role": "assistant", "tool_calls": whole_calls(answer.calls) or None, "content": content}
        return {
            **self._head("chat.completion"),
            "usage": self._usage(answer),
            "choices": [{"index": 0, "finish_reason": _finish(answer), "message": message}],
        }

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        body = {**self._head("chat.completion.chunk"), "choices": [choice], **more}
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "0d93cd05fake", "object": kind, "created": _CREATED, "model": self._model}

    def _usage(self, answer: Answer) -> dict[str, Any]:
        usage = self.usage_of(answer)
        asked, answered = usage.input_tokens or 0, usage.output_tokens or 0
        return {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        }


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _finish(answer: Answer) -> str:
    return answer.finish or ("tool_calls" if answer.calls else "stop")
