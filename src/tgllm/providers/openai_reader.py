"""Reader of a streamed answer of OpenAI's chat completions API."""

from collections.abc import Iterator
from typing import ClassVar

from tgllm.api.errors import Refused, Unavailable
from tgllm.api.events import Finished, ReasoningDelta, StreamEvent, TextDelta
from tgllm.api.types import FinishReason, Json, JsonObject, Usage
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json

__all__ = ["ChatReader"]

_MAX_PROVIDER_DATA = 256 * 2**10
"""Maximum bytes of ``Finished.provider_data`` as JSON."""


class ChatReader:
    """Converts the chunks of one answer to events. Override methods where a service differs."""

    needs_done: ClassVar[bool] = False
    """Whether an answer without a final ``[DONE]`` is incomplete even if it has a finish reason."""

    finish_reasons: ClassVar[dict[str, FinishReason]] = {
        "stop": "stop",
        "length": "length",
        "content_filter": "filtered",
    }
    """The service's finish reasons; unknown ones count as ``other``."""

    interruptions: ClassVar[frozenset[str]] = frozenset()
    """Finish reasons of answers that the service aborted."""

    def __init__(self) -> None:
        """Create a reader for one answer."""
        self.usage = Usage()
        self.reasoning: list[str] = []
        self.spoken = False
        """Whether the answer contains text."""
        self._finish = ""

    def is_error(self, chunk: JsonObject) -> bool:
        """Return whether a chunk is an error inside the stream."""
        return bool(chunk.get("error")) or chunk.get("object") == "error"

    def take(self, chunk: JsonObject) -> Iterator[StreamEvent]:
        """Yield the events of one chunk."""
        if usage := as_object(chunk.get("usage")):
            self.usage = self.read_usage(usage)
        for choice in map(as_object, as_list(chunk.get("choices"))[:1]):
            self._finish = as_text(choice.get("finish_reason")) or self._finish
            for event in self.read_delta(as_object(choice.get("delta"))):
                self._note(event)
                yield event

    def end(self, *, done: bool) -> Finished:
        """Return the last event; ``done`` tells whether the stream ended with ``[DONE]``.

        Raises:
            Unavailable: the answer is incomplete.
            Refused: the answer was blocked before its first text.
        """
        if self._finish in self.interruptions:
            raise Unavailable(f"the service aborted the answer ({self._finish})")
        if not self._finish or (self.needs_done and not done):
            raise Unavailable("the answer is incomplete")
        reason = self.finish_reasons.get(self._finish, "other")
        if reason == "filtered" and not self.spoken:
            raise Refused("the service's filter blocked the answer")
        return Finished(reason, self.usage, self._kept())

    def read_delta(self, delta: JsonObject) -> Iterator[StreamEvent]:
        """Yield the non-empty events of one delta: reasoning first, then text."""
        if reasoning := as_text(delta.get("reasoning_content")) or as_text(delta.get("reasoning")):
            yield ReasoningDelta(reasoning)
        if text := self.read_text(delta.get("content")):
            yield TextDelta(text)

    def read_text(self, content: Json) -> str:
        """Return the text of a message's content, which is a string or a list of parts."""
        if isinstance(content, str):
            return content
        parts = map(as_object, as_list(content))
        return "".join(as_text(part.get("text")) for part in parts if part.get("type") == "text")

    def read_usage(self, usage: JsonObject) -> Usage:
        """Parse a usage object."""
        return Usage(
            input_tokens=as_int(usage.get("prompt_tokens")),
            output_tokens=as_int(usage.get("completion_tokens")),
            reasoning_tokens=as_int(as_object(usage.get("completion_tokens_details")).get("reasoning_tokens")),
            cached_tokens=as_int(as_object(usage.get("prompt_tokens_details")).get("cached_tokens")),
        )

    def provider_data(self) -> JsonObject | None:
        """Return data to be sent with this answer on later turns; dropped if it is larger than 256 KiB."""
        return None

    def _kept(self) -> JsonObject | None:
        data = self.provider_data()
        return data if data and len(encode_json(data)) <= _MAX_PROVIDER_DATA else None

    def _note(self, event: StreamEvent) -> None:
        if isinstance(event, ReasoningDelta):
            self.reasoning.append(event.text)
        elif isinstance(event, TextDelta):
            self.spoken = True
