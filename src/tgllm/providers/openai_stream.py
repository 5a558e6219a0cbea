"""Events of a streamed answer of OpenAI's chat completions API, read as leniently as its gateways require.

docs/reference/provider-errors.md lists the tolerated deviations, with their reasons.
"""

from collections.abc import Iterator

from tgllm.api.errors import ContextTooLong, ProviderError
from tgllm.api.events import Finished, StreamEvent
from tgllm.api.types import JsonObject
from tgllm.providers.json_values import as_list, as_object, encode_json
from tgllm.providers.openai_reader import ChatReader
from tgllm.providers.sse import ServerEvent
from tgllm.providers.stream_documents import DONE, IN_PLACE, Fail, data_of, read_documents, status_of

__all__ = ["AnswerStream"]

_OVERFLOWS = frozenset({"model_context_window_exceeded", "model_length"})


class AnswerStream:
    """Passes the chunks inside server-sent events to a reader, and decides whether the answer has ended."""

    def __init__(self, reader: ChatReader, failure: Fail) -> None:
        """Create it for one answer; ``failure`` returns the error for a status (0: none) and a body."""
        self._reader = reader
        self._failure = failure
        self.done = False
        """Whether the service said that nothing follows, by ``[DONE]`` or by sending the answer as one document."""

    @property
    def finished(self) -> bool:
        """Whether the answer is complete: what follows, or the lack of it, does no harm to it."""
        return self.done or self._reader.finished

    def rest(self) -> Iterator[StreamEvent]:
        """Yield what the reader has held back; called before ``end``."""
        return self._reader.rest()

    def calls(self) -> Iterator[StreamEvent]:
        """Yield the calls of tools of a complete answer; called after ``end``."""
        return self._reader.calls()

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
        text = data_of(event)
        is_last = text.endswith(DONE)
        for chunk in read_documents(event, text.removesuffix(DONE).rstrip(), self._failure):
            yield from self._chunk(chunk, is_bare=event.bare)
        self.done = self.done or is_last

    def _chunk(self, chunk: JsonObject, *, is_bare: bool) -> Iterator[StreamEvent]:
        if self._reader.is_error(chunk):
            raise self._failure(status_of(chunk), encode_json(chunk))
        yield from self._reader.take(chunk)
        if is_bare and not self._reader.begun:
            raise self._failure(IN_PLACE, encode_json(chunk))
        if is_bare and as_object(_first_choice(chunk).get("message")):
            # A whole answer has arrived, with or without a finish reason.
            self.done = True


def _first_choice(chunk: JsonObject) -> JsonObject:
    choices = as_list(chunk.get("choices"))
    return as_object(choices[0]) if choices else {}
