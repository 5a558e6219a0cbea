"""An answer while it comes."""

from tgllm.api import Finished, ModelRef, ReasoningDelta, StreamEvent, TextDelta, TgllmError
from tgllm.api.clock import Clock
from tgllm.services.turn import TurnOutcome, TurnStatus

__all__ = ["Answer"]


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

    def add(self, event: StreamEvent) -> None:
        """Take the next event; kinds that are not known are passed over."""
        match event:
            case TextDelta(text):
                if self._first_token is None:
                    self._first_token = self._clock.monotonic() - self._began
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case Finished():
                self._finished = event
            case _:
                pass

    def fail(self, error: TgllmError) -> None:
        """End with an error; what came so far is kept."""
        self._status, self._error = "failed", error

    def stop(self, status: TurnStatus) -> None:
        """End before the end; what came so far is kept."""
        self._status = status

    def outcome(self) -> TurnOutcome:
        """The answer as a value."""
        finished = self._finished
        return TurnOutcome(
            status=self._status,
            model=self.model,
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            reason=finished.reason if self._status == "ok" else "stopped",
            usage=finished.usage,
            provider_data=finished.provider_data,
            error=self._error,
            first_token_seconds=self._first_token,
            seconds=self._clock.monotonic() - self._began,
        )
