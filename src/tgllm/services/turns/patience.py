"""Limits of a model call: between two events, between two pieces of text, and of the provider's retries."""

from typing import Final

from tgllm.api import (
    FileDelta,
    ModelRef,
    ProviderError,
    RateLimited,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Unavailable,
    Waiting,
)
from tgllm.api.clock import Clock

__all__ = ["Patience", "RetryLimit"]

SHORT_WAIT: Final = 5.0
"""Longest wait before a retry, in seconds, that is better than to ask another model."""


class Patience:
    """Limits of one call.

    Every event shows that the service is alive and restarts the idle timeout. Only text, reasoning, files and
    calls of tools are progress: a service that sends nothing else, such as keep-alive comments, ends after the wait
    timeout.
    """

    def __init__(self, idle_seconds: float, wait_seconds: float, clock: Clock) -> None:
        """Begin a call; a wait timeout below the idle timeout counts as the idle timeout."""
        self._idle_seconds = idle_seconds
        self._wait_seconds = max(idle_seconds, wait_seconds)
        self._clock = clock
        self._progressed: float | None = None
        """Time of the last text; before any, of the first event, since creating a provider may take long."""
        self.seconds = idle_seconds
        """The timeout that applies to the next event, for messages."""

    def after(self, event: StreamEvent) -> float:
        """Return the seconds that the next event may take to arrive; 0 if the call has timed out."""
        now = self._clock.monotonic()
        if self._progressed is None or _is_progress(event):
            self._progressed, self.seconds = now, self._idle_seconds
            return self._idle_seconds
        left = max(0.0, self._progressed + self._wait_seconds - now)
        self.seconds = self._wait_seconds if left < self._idle_seconds else self._idle_seconds
        return min(self._idle_seconds, left)


def _is_progress(event: StreamEvent) -> bool:
    if isinstance(event, FileDelta | ToolCall):
        return True
    if isinstance(event, ToolCallDelta):
        return event.name != "" or event.arguments != ""
    return isinstance(event, TextDelta | ReasoningDelta) and event.text != ""


class RetryLimit:
    """Limit of the retries that a provider makes while another model could be asked: one, after a short wait."""

    def __init__(self, model: ModelRef) -> None:
        """Begin the call of a model."""
        self._model = model
        self._has_waited = False
        self.is_exceeded = False
        """Whether the call was ended although the provider would have tried again."""

    def note(self, event: StreamEvent) -> None:
        """Count a retry.

        Raises:
            RateLimited: the rate limit of the service asks for more.
            Unavailable: the service failed again, or asks for a longer wait.
        """
        if not isinstance(event, Waiting) or event.reason == "queue":
            return
        if not self._has_waited and (event.seconds or 0.0) <= SHORT_WAIT:
            self._has_waited = True
            return
        self.is_exceeded = True
        raise self._error(event)

    def _error(self, event: Waiting) -> ProviderError:
        kind = RateLimited if event.reason == "rate_limit" else Unavailable
        return kind(f"{self._model} does not answer, and its provider waits to try again", retry_after=event.seconds)
