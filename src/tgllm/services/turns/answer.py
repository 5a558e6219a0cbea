"""Answer under construction, from the events of a stream."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar, get_args

from tgllm.api import (
    ChatRequest,
    FileDelta,
    Finished,
    FinishReason,
    ModelRef,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    TgllmError,
    ToolCall,
    Usage,
)
from tgllm.api.clock import Clock
from tgllm.services.common.text import mend_surrogates
from tgllm.services.common.thoughts import Piece, ThoughtSplitter
from tgllm.services.conversations.turn import ShownEvent, TextWasReasoning, TurnOutcome, TurnStatus
from tgllm.services.files.made import Gathered

__all__ = ["Answer"]

T = TypeVar("T")

MOST_CALLS: Final = 128
"""Most calls of one answer; further ones are dropped."""

_REASONS: tuple[FinishReason, ...] = get_args(FinishReason)


class _Pieces:
    """Text received in pieces, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._pieces: list[str] = []
        self.dropped = 0
        """Characters beyond the limit."""

    def add(self, text: str) -> str:
        """Add a piece; return the part within the limit."""
        kept = text[: self._limit - self._size] if self._limit else text
        self.dropped += len(text) - len(kept)
        # Without empty pieces, of which a stream may have any number.
        if kept:
            self._size += len(kept)
            self._pieces.append(kept)
        return kept

    def joined(self) -> str:
        return mend_surrogates("".join(self._pieces))

    def take(self) -> str:
        """Remove all text, and return it."""
        text = "".join(self._pieces)
        self._pieces, self._size = [], 0
        return text


class Answer:
    """Collects the events of a stream, and the way it ends.

    Reasoning that the model writes into its text becomes reasoning here, for all that read the answer.
    """

    def __init__(self, model: ModelRef, clock: Clock, limit: int = 0) -> None:
        """Create an empty answer; latencies are measured from here.

        Args:
            model: the model that answers.
            clock: source of time.
            limit: maximum characters of the text, and of the reasoning; 0: no limit.
        """
        self.model = model
        self._clock = clock
        self._began = clock.monotonic()
        self._first_token: float | None = None
        self._text = _Pieces(limit)
        self._reasoning = _Pieces(limit)
        self._splitter = ThoughtSplitter()
        self._has_begun = False
        self._has_content = False
        self._has_file = False
        self._has_ended = False
        self.made = Gathered()
        """Files that the model has made."""
        self.calls: list[ToolCall] = []
        """Calls of tools, in order; to be made if the answer is whole."""
        self._finished = Finished()
        self._status: TurnStatus = "ok"
        self._error: TgllmError | None = None
        self._first_error: TgllmError | None = None
        self.request: ChatRequest | None = None
        """The last request to the model; None before any."""

    def ask(self, request: ChatRequest) -> None:
        """Record a request to the model."""
        self.request = request

    def add(self, event: StreamEvent) -> Sequence[ShownEvent]:
        """Add the next event; unknown kinds are ignored.

        Returns:
            What there is to show: the text and reasoning within the limit, and other events as they are.

        Raises:
            TypeError: a field of the event has the wrong type.
        """
        match event:
            case TextDelta(text):
                self._has_begun |= _checked(text, str) != ""
                return self._add_pieces(self._splitter.add(text))
            case ReasoningDelta(text):
                kept = self._reasoning.add(_checked(text, str))
                if kept:
                    self._has_begun = True
                    self._splitter.note_reasoning()
                return [ReasoningDelta(kept)] if kept else []
            case FileDelta():
                self._has_begun = self._has_content = self._has_file = True
                return [event] if self.made.add(event) else []
            case ToolCall():
                _checked_call(event)
                if len(self.calls) >= MOST_CALLS:
                    return []
                self._has_begun = True
                self.calls.append(event)
            case Finished(usage=usage):
                _checked(usage, Usage)
                self._finished = event
            case str():  # pyright: ignore[reportUnnecessaryComparison]  a plugin may not be type-checked
                raise TypeError("generate yields a str where an event belongs: wrap it in a TextDelta")
            case _:
                pass
        return [event]

    def fail(self, error: TgllmError) -> None:
        """End with an error; the text so far is kept. An error of a stream that was ended by the limit is ignored."""
        if not self.is_over_limit:
            self._status, self._error = "failed", error

    def begin_again(self, error: TgllmError) -> None:
        """Record that the first call failed and is repeated."""
        self._first_error = error

    @property
    def usage(self) -> Usage:
        """Token counts reported by the provider; empty before ``Finished``."""
        return self._finished.usage

    @property
    def is_empty(self) -> bool:
        """Whether no text, reasoning or file was received yet."""
        return not self._has_begun

    @property
    def has_content(self) -> bool:
        """Whether a text other than white space, or a file, was received and shown; reasoning is none."""
        return self._has_content

    @property
    def is_filtered(self) -> bool:
        """Whether the provider's filter has ended the answer."""
        return self._finished.reason == "filtered"

    @property
    def error(self) -> TgllmError | None:
        """The error that it ended with."""
        return self._error

    @property
    def is_over_limit(self) -> bool:
        """Whether text or reasoning was received beyond the limit, so that the stream should end."""
        return bool(self._text.dropped or self._reasoning.dropped)

    def stop(self, status: TurnStatus) -> None:
        """End early; the text so far is kept."""
        self._status, self._error = status, None

    def end(self) -> None:
        """Add the text that was held back because it could begin a tag; no event may be added after this."""
        if not self._has_ended:
            self._has_ended = True
            self._add_pieces(self._splitter.end())

    def outcome(self) -> TurnOutcome:
        """Return the answer as a value; no event may be added after this."""
        self.end()
        finished, (text, reasoning) = self._finished, self._parts()
        return TurnOutcome(
            status=self._status,
            model=self.model,
            text=text,
            reasoning=reasoning,
            reason=self._reason(),
            usage=finished.usage,
            provider_data=finished.provider_data,
            error=self._error,
            first_token_seconds=self._first_token,
            seconds=self._clock.monotonic() - self._began,
            first_error=self._first_error,
            asked=self.request is not None,
            dropped=self._text.dropped + self._reasoning.dropped,
            files_left_out=self.made.left_out,
        )

    def _add_pieces(self, pieces: Iterable[Piece]) -> list[ShownEvent]:
        shown: list[ShownEvent] = []
        for kind, text in pieces:
            if kind == "moved":
                self._reasoning.add(self._text.take())
                self._has_content = self._has_file
                shown.append(TextWasReasoning())
            elif kind == "thought" and (kept := self._reasoning.add(text)):
                shown.append(ReasoningDelta(kept))
            elif kind == "text" and (kept := self._text.add(text)):
                if self._first_token is None:
                    self._first_token = self._clock.monotonic() - self._began
                self._has_content = self._has_content or not kept.isspace()
                shown.append(TextDelta(kept))
        return shown

    def _parts(self) -> tuple[str, str]:
        """Return the text and the reasoning."""
        text, reasoning = self._text.joined(), self._reasoning.joined()
        within = self._splitter.answer_in_thought
        if within is None or self._reasoning.dropped:
            return text, reasoning
        start, end = len(reasoning) - within[0], len(reasoning) - within[1]
        return text + reasoning[end:].lstrip(), reasoning[:start]

    def _reason(self) -> FinishReason:
        if self._status != "ok":
            return "stopped"
        if self.is_over_limit:
            return "length"
        # A plugin may set a value of any type, so compare: a set would need a hashable one.
        return self._finished.reason if self._finished.reason in _REASONS else "other"


def _checked_call(call: ToolCall) -> None:
    for value in (call.id, call.name, call.arguments):
        _checked(value, str)


def _checked(value: T, kind: type[T]) -> T:
    """Check the type of a field of an event, since a plugin may not be type-checked."""
    if not isinstance(value, kind):
        raise TypeError(f"an event holds a {type(value).__name__} where a {kind.__name__} belongs")
    return value
