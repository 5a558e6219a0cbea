"""Reader of a streamed answer of the Messages API (Anthropic API: streaming messages, stop reasons)."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from tgllm.api.errors import BadResponse, ContextTooLong, ProviderError, Refused
from tgllm.api.events import Finished, ReasoningDelta, StreamEvent, TextDelta, ToolCall, ToolCallDelta
from tgllm.api.types import FinishReason, Json, JsonObject, Usage
from tgllm.providers.failure import incomplete
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, unexpected
from tgllm.providers.retry import NoAnswer
from tgllm.providers.sse import ServerEvent
from tgllm.providers.stream_documents import IN_PLACE, Fail, data_of, is_complaint, read_documents, status_of
from tgllm_anthropic.blocks import Blocks

__all__ = ["AnswerReader"]

_EVENTS = frozenset(
    {
        "message",
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)


class AnswerReader:
    """Converts the events of one answer; unknown events and blocks are passed over."""

    stop_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        # The service pauses a long answer; it goes on if it is asked to.
        "pause_turn": "length",
        "refusal": "filtered",
    }
    """The API's reasons; unknown ones count as ``other``."""

    def __init__(self, host: str, failure: Fail) -> None:
        """Create a reader for one answer; ``failure`` returns the error for a status (0: none) and a body."""
        self._host = host
        self._failure = failure
        self._usage: dict[str, int] = {}
        self._blocks = Blocks()
        self._stop_reason = ""
        self._explanation = ""
        self._spoken = False
        self._begun = False
        self._odd: BadResponse | None = None
        self.done = False
        """Whether the service said that nothing follows."""

    @property
    def finished(self) -> bool:
        """Whether the answer is complete: what follows, or the lack of it, does no harm to it."""
        return self.done or bool(self._stop_reason)

    @property
    def calls(self) -> Sequence[ToolCall]:
        """The calls of tools. They are complete at the end; an answer that the filter has cut off has none."""
        return () if self._finish == "filtered" else self._blocks.calls

    def take(self, event: ServerEvent) -> Iterator[StreamEvent]:
        """Yield the events of the answer in one event of the stream.

        Raises:
            ProviderError: the event is an error, or not JSON, and the answer is not complete.
        """
        try:
            for document in read_documents(event, data_of(event), self._failure):
                yield from self._document(document, event)
        except ProviderError:
            if not self.finished:
                raise

    def end(self) -> Finished:
        """Return the last event.

        Raises:
            Unavailable: the answer is incomplete.
            Refused: the answer was blocked before its first text.
            ContextTooLong: the request left no room for an answer.
        """
        if not self.finished:
            raise self._odd or incomplete(self._host, has_begun=self._begun)
        if self._odd and not self._blocks:
            raise NoAnswer(str(self._odd))
        reason = self._finish
        if reason == "filtered" and not self._spoken:
            raise Refused(f"the service's filter blocked the answer{self._reason()}")
        usage = self._counts()
        if self._stop_reason == "model_context_window_exceeded" and not self._blocks:
            raise ContextTooLong(f"there is no answer to {usage.input_tokens or 'too many'} tokens")
        return Finished(reason, usage, self._blocks.kept() if reason != "filtered" else None)

    @property
    def _finish(self) -> FinishReason:
        return self.stop_reasons.get(self._stop_reason or "end_turn", "other")

    # --- events ---------------------------------------------------------------------------

    def _document(self, document: JsonObject, event: ServerEvent) -> Iterator[StreamEvent]:
        kind = as_text(document.get("type"))
        if kind not in _EVENTS:
            # An event with the name of its type is one of the API, of a later version.
            if is_complaint(document) and (event.name != kind or kind == "error"):
                raise self._failure(status_of(document), encode_json(document))
            if event.bare and not self._begun:
                raise self._failure(IN_PLACE, encode_json(document))
            return
        self._begun = True
        match kind:
            case "message_start":
                self._count(as_object(document.get("message")).get("usage"))
            case "content_block_start":
                yield from self._block(_index(document), document.get("content_block"), "content_block")
            case "content_block_delta":
                yield from self._delta(_index(document), document.get("delta"))
            case "message_delta":
                self._count(document.get("usage"))
                self._stopped(as_object(document.get("delta")))
            case "message":
                yield from self._whole(document)
            case "message_stop":
                self.done = True
            case _:
                pass

    def _whole(self, message: JsonObject) -> Iterator[StreamEvent]:
        """Take a whole answer, which gateways without streaming send."""
        content = message.get("content")
        if content and not isinstance(content, list):
            raise unexpected("content", "a list", content)
        for number, block in enumerate(as_list(content)):
            yield from self._block(number, block, f"content[{number}]")
        self._count(message.get("usage"))
        self._stopped(message)
        self.done = True

    def _block(self, index: int, value: Json, place: str) -> Iterator[StreamEvent]:
        """Take the beginning of a block, or a whole one."""
        block = self._object(value, place)
        match as_text(block.get("type")):
            case "text":
                yield from self._text(index, block.get("text"), f"{place}.text")
            case "thinking":
                self._blocks.begin(index, "thinking")
                yield from self._thought(index, block.get("thinking"), f"{place}.thinking")
                self._sign(index, block)
            case "redacted_thinking":
                self._blocks.begin(index, "redacted_thinking").proof = as_text(block.get("data"))
            case "tool_use":
                yield self._call(index, block, place)
            case _:
                self._blocks.skip(index)

    def _delta(self, index: int, value: Json) -> Iterator[StreamEvent]:
        delta = self._object(value, "delta")
        match as_text(delta.get("type")):
            case "text_delta":
                yield from self._text(index, delta.get("text"), "delta.text")
            case "thinking_delta":
                yield from self._thought(index, delta.get("thinking"), "delta.thinking")
            case "signature_delta":
                self._sign(index, delta)
            case "input_json_delta":
                yield from self._arguments(index, delta.get("partial_json"))
            case _:
                pass

    def _object(self, value: Json, place: str) -> JsonObject:
        if value and not isinstance(value, dict):
            self._odd = self._odd or unexpected(place, "an object", value)
        return as_object(value)

    def _text(self, index: int, value: Json, place: str) -> Iterator[StreamEvent]:
        if text := _checked(value, place):
            self._spoken = True
            self._blocks.at(index, "text").text += text
            yield TextDelta(text)

    def _thought(self, index: int, value: Json, place: str) -> Iterator[StreamEvent]:
        text = _checked(value, place)
        self._blocks.at(index, "thinking").text += text
        if text:
            yield ReasoningDelta(text)

    def _sign(self, index: int, place: JsonObject) -> None:
        self._blocks.at(index, "thinking").proof += as_text(place.get("signature"))

    def _call(self, index: int, block: JsonObject, place: str) -> ToolCallDelta:
        call = self._blocks.begin(index, "tool_use")
        # Other services with this format may send no id.
        call.id = as_text(block.get("id")) or f"toolu_{secrets.token_hex(12)}"
        call.name = _checked(block.get("name"), f"{place}.name")
        call.given = block.get("input")
        return ToolCallDelta(call.name)

    def _arguments(self, index: int, value: Json) -> Iterator[StreamEvent]:
        call = self._blocks.call_at(index)
        # The service's own tools have arguments, too.
        if (piece := _checked(value, "delta.partial_json")) and call is not None:
            call.pieces.append(piece)
            yield ToolCallDelta(call.name, piece)

    def _stopped(self, place: JsonObject) -> None:
        self._stop_reason = as_text(place.get("stop_reason")).lower() or self._stop_reason
        details = as_object(place.get("stop_details"))
        self._explanation = as_text(details.get("explanation")) or as_text(details.get("category"))

    # --- the end --------------------------------------------------------------------------

    def _count(self, usage: Json) -> None:
        """Take counts: later ones replace earlier ones, and missing ones do not."""
        counts = as_object(usage)
        details = as_object(counts.get("output_tokens_details"))
        for name, value in (*counts.items(), ("thinking_tokens", details.get("thinking_tokens"))):
            if (number := as_int(value)) is not None and number >= 0:
                self._usage[name] = number

    def _counts(self) -> Usage:
        """Return the usage: the API's ``input_tokens`` excludes what was written to its cache and read from it."""
        get = self._usage.get
        read, written, sent = get("cache_read_input_tokens"), get("cache_creation_input_tokens"), get("input_tokens")
        return Usage(
            input_tokens=None if sent is None else sent + (read or 0) + (written or 0),
            output_tokens=get("output_tokens"),
            reasoning_tokens=get("thinking_tokens"),
            cached_tokens=read,
            cache_write_tokens=written,
        )

    def _reason(self) -> str:
        """Return the service's words about a refusal, short and without the key, after a colon."""
        if not self._explanation:
            return ""
        # As in other errors; the name of the host, which comes first, says nothing here.
        _, colon, words = str(self._failure(0, encode_json({"message": self._explanation}))).partition(": ")
        return colon + words


def _index(document: JsonObject) -> int:
    return as_int(document.get("index")) or 0


def _checked(value: Json, place: str) -> str:
    """Return a text; a missing one counts as empty.

    Raises:
        BadResponse: the value has another type; the message names the field.
    """
    if value is None or isinstance(value, str):
        return value or ""
    raise unexpected(place, "text", value)
