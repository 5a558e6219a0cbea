"""An answer while it comes."""

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
    """Collects the events of a stream, and how it ended."""

    def __init__(self, model: ModelRef, clock: Clock) -> None:
        """Begin; the time counts from here."""
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
        """What the model was asked last; None: nothing."""

    def ask(self, request: ChatRequest) -> None:
        """Note what the model is asked."""
        self.request = request

    def add(self, event: StreamEvent) -> None:
        """Take the next event; kinds that are not known are passed over.

        Raises:
            TypeError: an event holds something else than its type says.
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
            case str():  # pyright: ignore[reportUnnecessaryComparison]  a plugin's, seen by no type checker
                raise TypeError("generate yields a str where an event belongs: wrap it in a TextDelta")
            case _:
                pass

    def fail(self, error: TgllmError) -> None:
        """End with an error; what came so far is kept."""
        self._status, self._error = "failed", error

    def begin_again(self, error: TgllmError) -> None:
        """Note that a first call failed and another one is made."""
        self._first_error = error

    @property
    def usage(self) -> Usage:
        """The tokens that the provider has counted so far."""
        return self._finished.usage

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come yet that was shown."""
        return not (self._text or self._reasoning)

    def stop(self, status: TurnStatus) -> None:
        """End before the end; what came so far is kept."""
        self._status = status

    def outcome(self) -> TurnOutcome:
        """The answer as a value."""
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
        # Whatever a plugin has put there can be compared with words, and need not have a hash.
        return self._finished.reason if self._finished.reason in _REASONS else "other"


def _checked(value: T, kind: type[T]) -> T:
    """A part of an event, which a plugin made and no type checker may have seen."""
    if not isinstance(value, kind):
        raise TypeError(f"an event holds a {type(value).__name__} where a {kind.__name__} belongs")
    return value
