"""Response format of the Messages API."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tgllm.api.events import ToolCall
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError
from tgllm.testing.fake_providers.base.wire import Wire

__all__ = ["CALL_FORMS", "AnthropicWire"]

CALL_FORMS = frozenset({"whole", "no empty piece", "one index"})
"""Arguments in the beginning of their block, as gateways send them; without the first, empty piece of arguments; and
with the same index for each block."""


class AnthropicWire(Wire):
    """Named events; each block has its own start and end.

    ``sign`` creates the signature of a block of reasoning; None for a request without reasoning. ``shows`` tells
    whether its words are sent. ``cached`` are the tokens that were read from the cache and written to it.
    """

    def __init__(
        self,
        question: str,
        model: str,
        *,
        sign: Callable[[str], str] | None,
        shows: bool,
        cached: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__(question)
        self._model = model
        self._sign = sign
        self._shows = shows
        self._cached = cached
        self._index = -1
        self._open = ""
        """Type of the block that is being sent; empty between two blocks."""
        self._thoughts = ""
        """What was sent of the reasoning in the current block."""

    def begin(self) -> bytes:
        """Return the message without content, with the tokens of the request."""
        usage = self._usage(Answer())
        message: dict[str, Any] = {**self._head(), "content": [], "usage": {**usage, "output_tokens": 1}}
        return self._event("message_start", message=message) + self._event("ping")

    def keep_alive(self) -> bytes:
        """Return a ping."""
        return self._event("ping")

    def text(self, text: str) -> bytes:
        """Return a piece of a block of text."""
        begun = self._enter("text", {"type": "text", "text": ""})
        return begun + self._delta({"type": "text_delta", "text": text})

    def reasoning(self, text: str) -> bytes:
        """Return a piece of a block of reasoning, without its words if they are not shown."""
        if self._sign is None:
            return b""
        begun = self._enter("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        if not self._shows:
            return begun
        self._thoughts += text
        return begun + self._delta({"type": "thinking_delta", "thinking": text})

    def calls(self, calls: Sequence[ToolCall], form: str) -> bytes:
        """Return a block for each call, with its arguments in pieces; see ``CALL_FORMS``."""
        return self._leave() + b"".join(self._call(call, form) for call in calls)

    def end(self, answer: Answer) -> bytes:
        """Return the stop reason with the usage, and the end of the message."""
        closed = self._leave()
        delta = {"stop_reason": _reason(answer), "stop_sequence": None, "stop_details": _details(answer)}
        return (
            closed + self._event("message_delta", delta=delta, usage=self._usage(answer)) + self._event("message_stop")
        )

    def error(self, error: FakeError) -> bytes:
        """Return the error's body as an event."""
        return b"event: error\ndata: " + error.content + b"\n\n"

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return a message."""
        content: list[dict[str, Any]] = []
        if self._sign is not None and answer.reasoning:
            words = answer.reasoning if self._shows else ""
            content.append({"type": "thinking", "thinking": words, "signature": self._sign(words)})
        if answer.text:
            content.append({"type": "text", "text": answer.text})
        content += [_block(call, json.loads(call.arguments or "{}")) for call in answer.calls]
        end = {"stop_reason": _reason(answer), "stop_details": _details(answer)}
        return {**self._head(), "content": content, **end, "usage": self._usage(answer)}

    # --- blocks ---------------------------------------------------------------------------

    def _call(self, call: ToolCall, form: str) -> bytes:
        self._index = 0 if form == "one index" else self._index + 1
        given: object = json.loads((form == "whole" and call.arguments) or "{}")
        begun = self._event("content_block_start", index=self._index, content_block=_block(call, given))
        half = len(call.arguments) // 2
        pieces = ["", call.arguments[:half], call.arguments[half:]]
        if form == "whole":
            pieces = []
        elif form == "no empty piece":
            pieces = [piece for piece in pieces if piece]
        written = [self._delta({"type": "input_json_delta", "partial_json": piece}) for piece in pieces]
        return b"".join([begun, *written, self._event("content_block_stop", index=self._index)])

    def _enter(self, kind: str, block: dict[str, Any]) -> bytes:
        if self._open == kind:
            return b""
        closed = self._leave()
        self._index += 1
        self._open = kind
        return closed + self._event("content_block_start", index=self._index, content_block=block)

    def _leave(self) -> bytes:
        """Return the end of the current block, with its signature."""
        if not self._open:
            return b""
        signature = b""
        if self._open == "thinking" and self._sign is not None:
            signature = self._delta({"type": "signature_delta", "signature": self._sign(self._thoughts)})
        self._open = self._thoughts = ""
        return signature + self._event("content_block_stop", index=self._index)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return self._event("content_block_delta", index=self._index, delta=delta)

    def _event(self, name: str, **fields: Any) -> bytes:  # noqa: ANN401  any JSON
        return f"event: {name}\ndata: {json.dumps({'type': name, **fields}, ensure_ascii=False)}\n\n".encode()

    def _head(self) -> dict[str, Any]:
        return {
            "id": "msg_fake",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _usage(self, answer: Answer) -> dict[str, Any]:
        """Return the usage, whose ``input_tokens`` excludes what has to do with the cache."""
        usage = self.usage_of(answer)
        read, written = self._cached
        if answer.usage is not None:
            read, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
        return {
            "input_tokens": (usage.input_tokens or 0) - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "output_tokens": usage.output_tokens or 0,
            "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens or 0},
        }


def _block(call: ToolCall, given: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": given}


def _reason(answer: Answer) -> str:
    return answer.finish or ("tool_use" if answer.calls else "end_turn")


def _details(answer: Answer) -> dict[str, Any] | None:
    if answer.finish != "refusal":
        return None
    return {"type": "refusal", "category": "cyber", "explanation": "The request could enable harm."}
