"""Response format of OpenAI's chat completions."""

import json
from collections.abc import Sequence
from typing import Any

from tgllm.api.events import ToolCall
from tgllm.api.types import Usage
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError
from tgllm.testing.fake_providers.base.openai_calls import fragments, whole_calls
from tgllm.testing.fake_providers.base.wire import Wire
from tgllm.testing.fake_providers.openai_api.dialects import Dialect

__all__ = ["OpenAIWire"]

_CREATED = 1_790_000_000


class OpenAIWire(Wire):
    """Chunks of ``chat.completion.chunk``."""

    def __init__(self, question: str, model: str, dialect: Dialect, *, thinks: bool, asks_usage: bool) -> None:
        super().__init__(question)
        self._model = model
        self._dialect = dialect
        self._thinks = thinks and bool(dialect.reasoning)
        self._asks_usage = asks_usage
        self._is_thinking = False

    def begin(self) -> bytes:
        """Return the role."""
        return self._delta({"role": "assistant", "content": ""})

    def keep_alive(self) -> bytes:
        """Return the service's comment."""
        return self._dialect.keep_alive

    def text(self, text: str) -> bytes:
        """Return a piece in ``content``."""
        closing = "\n</think>\n\n" if self._is_thinking else ""
        self._is_thinking = False
        return self._delta({"content": closing + text})

    def reasoning(self, text: str) -> bytes:
        """Return a piece of the reasoning in the service's field; empty if there is none."""
        if not self._thinks:
            return b""
        if self._dialect.reasoning != "tags":
            return self._delta({self._dialect.reasoning: text})
        opening = "" if self._is_thinking else "<think>\n"
        self._is_thinking = True
        return self._delta({"content": opening + text})

    def calls(self, calls: Sequence[ToolCall], form: str) -> bytes:
        """Return the fragments of calls, each in a chunk of its own."""
        return b"".join(self._delta({"tool_calls": each}) for each in fragments(calls, form))

    def end(self, answer: Answer) -> bytes:
        """Return the finish reason, the usage as the service sends it, and ``[DONE]``."""
        finish, usage = _finish(answer), self._usage(answer)
        if self._dialect.usage == "always":
            chunks = self._delta({}, finish, usage)
        else:
            chunks = self._delta({}, finish) + (self._chunk([], usage) if self._asks_usage else b"")
        return chunks + b"data: [DONE]\n\n"

    def error(self, error: FakeError) -> bytes:
        """Return the error's body as an event."""
        return b"data: " + error.content + b"\n\n"

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return a ``chat.completion``."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
        if self._thinks and self._dialect.reasoning != "tags":
            message[self._dialect.reasoning] = answer.reasoning
        elif self._thinks and answer.reasoning:
            message["content"] = f"<think>\n{answer.reasoning}\n</think>\n\n{answer.text}"
        if answer.calls:
            message = {**message, "content": message["content"] or None, "tool_calls": whole_calls(answer.calls)}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage(answer)}

    def _delta(self, delta: dict[str, Any], finish: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], usage)

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> bytes:
        body = {**self._head("chat.completion.chunk"), "choices": choices, "usage": usage}
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-fake", "object": kind, "created": _CREATED, "model": self._model}

    def _usage(self, answer: Answer) -> dict[str, Any]:
        usage = self.usage_of(answer)
        asked, written, reasoned = usage.input_tokens or 0, usage.output_tokens or 0, usage.reasoning_tokens or 0
        return {
            "prompt_tokens": asked,
            "completion_tokens": written - reasoned if self._dialect.excludes_reasoning else written,
            "total_tokens": asked + written,
            "prompt_tokens_details": _input_details(usage),
            "completion_tokens_details": {"reasoning_tokens": reasoned},
        }


def _finish(answer: Answer) -> str:
    return answer.finish or ("tool_calls" if answer.calls else "stop")


def _input_details(usage: Usage) -> dict[str, int]:
    """Return the parts of the input; a router to services that bill writing to their cache reports it as well."""
    written = usage.cache_write_tokens
    return {"cached_tokens": usage.cached_tokens or 0, **({"cache_write_tokens": written} if written else {})}
