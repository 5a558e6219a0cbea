"""Response format of the DeepSeek API."""

import json
from collections.abc import Sequence
from typing import Any

from tgllm.api.events import ToolCall
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError
from tgllm.testing.fake_providers.base.openai_calls import fragments, whole_calls
from tgllm.testing.fake_providers.base.wire import Wire

__all__ = ["DipseekWire"]

_CREATED = 1_718_345_013


class DipseekWire(Wire):
    """Chunks of ``chat.completion.chunk`` with text in ``content`` and reasoning in ``reasoning_content``."""

    def __init__(self, question: str, model: str, *, thinks: bool) -> None:
        super().__init__(question)
        self._model = model
        self._thinks = thinks

    def begin(self) -> bytes:
        """Return a keep-alive, as for a queued request, and the role."""
        return self.keep_alive() + self._delta({"role": "assistant", "content": None, "reasoning_content": ""})

    def text(self, text: str) -> bytes:
        """Return a piece in ``content``."""
        return self._delta({"content": text, "reasoning_content": None})

    def reasoning(self, text: str) -> bytes:
        """Return a piece in ``reasoning_content``; empty if reasoning is disabled."""
        return self._delta({"content": None, "reasoning_content": text}) if self._thinks else b""

    def calls(self, calls: Sequence[ToolCall], form: str) -> bytes:
        """Return the fragments of calls, each in a chunk of its own."""
        return b"".join(
            self._delta({"content": None, "reasoning_content": None, "tool_calls": each})
            for each in fragments(calls, form)
        )

    def end(self, answer: Answer) -> bytes:
        """Return the finish reason with the usage, or the usage after it in a chunk of its own; then ``[DONE]``."""
        usage = self._usage(answer)
        last = {"content": "", "reasoning_content": None}
        finish = _finish(answer)
        if answer.trailing_usage:
            chunks = self._delta(last, finish) + self._chunk([], usage)
        else:
            chunks = self._delta(last, finish, usage)
        return chunks + b"data: [DONE]\n\n"

    def error(self, error: FakeError) -> bytes:
        """Return the error's body as an event."""
        return b"data: " + error.content + b"\n\n"

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return a ``chat.completion``."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text}
        if self._thinks:
            message["reasoning_content"] = answer.reasoning
        if answer.calls:
            message["tool_calls"] = whole_calls(answer.calls)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage(answer)}

    def _delta(self, delta: dict[str, Any], finish: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], usage)

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> bytes:
        body = {**self._head("chat.completion.chunk"), "choices": choices, "usage": usage}
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": "fake-completion",
            "object": kind,
            "created": _CREATED,
            "model": self._model,
            "system_fingerprint": "fp_fake",
        }

    def _usage(self, answer: Answer) -> dict[str, Any]:
        usage = self.usage_of(answer)
        asked, answered, cached = usage.input_tokens or 0, usage.output_tokens or 0, usage.cached_tokens or 0
        return {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
            "prompt_tokens_details": {"cached_tokens": cached},
            "prompt_cache_hit_tokens": cached,
            "prompt_cache_miss_tokens": asked - cached,
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        }


def _finish(answer: Answer) -> str:
    return answer.finish or ("tool_calls" if answer.calls else "stop")
