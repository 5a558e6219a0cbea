"""Answer under construction, from the events of a stream."""

from typing import TypeVar, get_args

from tgllm.api import (
    ChatRequest,
    Finished,
    FinishReason,
    ModelRef,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    TgllmError,
    Usage,
)
from tgllm.api.clock import Clock
from tgllm.services.common.text import mend_surrogates
from tgllm.services.conversations.turn import TurnOutcome, TurnStatus

__all__ = ["Answer"]

T = TypeVar("T")

_REASONS: tuple[FinishReason, ...] = get_args(FinishReason)


class Answer:
    """Collects the events of a stream, and the way it ends."""

    def __init__(self, model: ModelRef, clock: Clock) -> None:
        """Create an empty answer; latencies are measured from here."""
        self.model = model
        self._clock = clock
        self._began = clock.monotonic()
        self._first_token: float | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._finished = Finished()
        self._status: TurnStatus = "ok"
        self._error: TgllmError | None = None
        self._first_error: TgllmError | None = None
        self.request: ChatRequest | None = None
        """The last request to the model; None before any."""

    def ask(self, request: ChatRequest) -> None:
        """Record a request to the model."""
        self.request = request

    def add(self, event: StreamEvent) -> None:
        """Add the next event; unknown kinds are ignored.

        Raises:
            TypeError: a field of the event has the wrong type.
        """
        match event:
            case TextDelta(text):
                if self._first_token is None:
                    self._first_token = self._clock.monotonic() - self._began
                self._text.append(_checked(text, str))
            case ReasoningDelta(text):
                self._reasoning.append(_checked(text, str))
            case Finished(usage=usage):
                _checked(usage, Usage)
                self._finished = event
            case str():  # pyright: ignore[reportUnnecessaryComparison]  a plugin may not be type-checked
                raise TypeError("generate yields a str where an event belongs: wrap it in a TextDelta")
            case _:
                pass

    def fail(self, error: TgllmError) -> None:
        """End with an error; the text so far is kept."""
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
        """Whether no text or reasoning was received yet."""
        return not (self._text or self._reasoning)

    def stop(self, status: TurnStatus) -> None:
        """End early; the text so far is kept."""
        self._status = status

    def outcome(self) -> TurnOutcome:
        """Return the answer as a value."""
        finished = self._finished
        return TurnOutcome(
            status=self._status,
            model=self.model,
            text=mend_surrogates("".join(self._text)),
            reasoning=mend_surrogates("".join(self._reasoning)),
            reason=self._reason(),
            usage=finished.usage,
            provider_data=finished.provider_data,
            error=self._error,
            first_token_seconds=self._first_token,
            seconds=self._clock.monotonic() - self._began,
            first_error=self._first_error,
            asked=self.request is not None,
        )

    def _reason(self) -> FinishReason:
        if self._status != "ok":
            return "stopped"
        # A plugin may set a value of any type, so compare: a set would need a hashable one.
        return self._finished.reason if self._finished.reason in _REASONS else "other"


def _checked(value: T, kind: type[T]) -> T:
    """Check the type of a field of an event, since a plugin may not be type-checked."""
    if not isinstance(value, kind):
        raise TypeError(f"an event holds a {type(value).__name__} where a {kind.__name__} belongs")
    return value
