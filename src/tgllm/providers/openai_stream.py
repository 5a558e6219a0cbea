"""Events of a streamed answer of OpenAI's chat completions API, read as leniently as its gateways require.

docs/reference/provider-errors.md lists the tolerated deviations, with their reasons.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from tgllm.api.errors import BadResponse, ContextTooLong, ProviderError
from tgllm.api.events import Finished, StreamEvent
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, parse_sequence
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.sse import ServerEvent

__all__ = ["AnswerStream"]

_DONE = "[DONE]"
_IGNORED = frozenset({"", "null", "ping", "pong", "heartbeat", "keepalive", "keep-alive"})
"""Data of events that only keep the connection alive, in lower case."""
_JSON_STARTS = ("{", "[", '"', "-")
_STATUS_DIGITS = 3
_OVERFLOWS = frozenset({"model_context_window_exceeded", "model_length"})
_PAGE = 200
"""HTTP status of a page or a JSON document in place of an answer."""


class AnswerStream:
    """Passes the chunks inside server-sent events to a reader, and decides whether the answer has ended."""

    def __init__(self, reader: ChatReader, failure: Callable[[int, bytes], ProviderError]) -> None:
        """Create it for one answer; ``failure`` returns the error for a status (0: none) and a body."""
        self._reader = reader
        self._failure = failure
        self.done = False
        """Whether the service said that nothing follows, by ``[DONE]`` or by sending the answer as one document."""

    @property
    def finished(self) -> bool:
        """Whether the answer is complete: what follows, or the lack of it, does no harm to it."""
        return self.done or self._reader.finished

    def end(self, window: int | None) -> Finished:
        """Return the last event of an answer of a model with a context window of ``window`` tokens, if known.

        Raises:
            ContextTooLong: there is no answer, because the request was larger than the window; not all services say so.
            ProviderError: raised by the reader.
        """
        finished = self._reader.end(done=self.done)
        sent = finished.usage.input_tokens
        overflows = self._reader.finish_reason in _OVERFLOWS or (window and sent and sent >= window)
        if overflows and not (self._reader.spoken or self._reader.reasoning):
            raise ContextTooLong(
                f"there is no answer to {sent or 'too many'} tokens; the window is {window or 'smaller'}"
            )
        return finished

    def take(self, event: ServerEvent) -> Iterator[StreamEvent]:
        """Yield the events of the answer in one event of the stream.

        Raises:
            ProviderError: the event is an error, or not JSON, and the answer is not complete.
        """
        try:
            yield from self._take(event)
        except ProviderError:
            if not self.finished:
                raise

    def _take(self, event: ServerEvent) -> Iterator[StreamEvent]:
        # Some gateways put "data:" in front of data that already has it.
        text = event.data.strip().removeprefix("data:").lstrip()
        if text.endswith(_DONE):
            text = text.removesuffix(_DONE).rstrip()
            yield from self._values(event, text)
            self.done = True
        else:
            yield from self._values(event, text)

    def _values(self, event: ServerEvent, text: str) -> Iterator[StreamEvent]:
        if event.name == "error":
            raise self._failure(_status(_first(text)), text.encode())
        if text.lower() in _IGNORED:
            return
        if not (text.startswith(_JSON_STARTS) or text[0].isdigit()):
            if event.name == "message":
                raise self._failure(_PAGE, text.encode())
            return
        try:
            for value in parse_sequence(text):
                # Several chunks may come as a list.
                for chunk in as_list(value) or (value,):
                    yield from self._chunk(as_object(chunk), is_bare=event.bare)
        except BadResponse:
            if event.bare and not self._reader.begun:
                raise self._failure(_PAGE, text.encode()) from None
            raise

    def _chunk(self, chunk: JsonObject, *, is_bare: bool) -> Iterator[StreamEvent]:
        if self._reader.is_error(chunk):
            raise self._failure(_status(chunk), encode_json(chunk))
        yield from self._reader.take(chunk)
        if is_bare and not self._reader.begun:
            raise self._failure(_PAGE, encode_json(chunk))
        if is_bare and as_object(_first_choice(chunk).get("message")):
            # A whole answer has arrived, with or without a finish reason.
            self.done = True


def _first_choice(chunk: JsonObject) -> JsonObject:
    choices = as_list(chunk.get("choices"))
    return as_object(choices[0]) if choices else {}


def _first(text: str) -> JsonObject:
    """Return the first JSON object of a text; empty if the text is not JSON."""
    with suppress(BadResponse):
        return as_object(next(parse_sequence(text), None))
    return {}


def _status(chunk: JsonObject) -> int:
    """Return the HTTP status in an error inside a stream, or 0."""
    for place in (as_object(chunk.get("error")), chunk):
        found = (_number(place.get(key)) for key in ("status_code", "raw_status_code", "status", "code"))
        if status := next((status for status in found if 400 <= status <= 599), 0):
            return status
    return 0


def _number(value: Json) -> int:
    text = as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _STATUS_DIGITS else as_int(value) or 0
