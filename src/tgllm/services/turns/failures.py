"""Failures of a model after which another one is asked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ChatRequest,
    ContextTooLong,
    FileUnreadable,
    ModelNotFound,
    NotConfigured,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TgllmError,
    Unavailable,
    Unsupported,
)
from tgllm.providers.attachments import has_files
from tgllm.services.turns.report import PROVIDER_BROKEN

if TYPE_CHECKING:
    from tgllm.services.turns.answer import Answer
    from tgllm.services.turns.attempt import Attempt

__all__ = ["Failure", "cannot_stand_in", "failure_of"]

_OUTAGES: Final = (RateLimited, Unavailable, QuotaExceeded, AuthFailed, NotConfigured, ModelNotFound, BadResponse)
"""Errors of a service or of its settings, and not of the question."""
_OUTAGE_CODES: Final = frozenset({PROVIDER_BROKEN, "bad_response"})
"""The same of errors without a class of their own."""
_UNSEEN: Final = frozenset({"file_no_sight", "file_no_reader", "file_no_transcriber"})
"""Codes of the errors with files that another model may take."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why another model is asked."""

    error: TgllmError
    is_outage: bool = True
    """Whether the next question would most likely fail as well."""

    @property
    def wait(self) -> float | None:
        """Seconds that the service asks to wait, if it does."""
        seconds = self.error.params.get("retry_after")
        return float(seconds) if isinstance(seconds, int | float) else None


def failure_of(answer: "Answer", request: ChatRequest | None) -> Failure | None:
    """Return why another model may be asked; None if the answer has begun or the error is one of the question.

    Args:
        answer: of a turn that was not stopped.
        request: what was asked; None if it could not be prepared.
    """
    error = answer.error
    if error is None:
        answer.end()
    if answer.has_content:
        return None
    if error is None and answer.calls:
        return None
    if error is None:
        return _of_empty(answer)
    if isinstance(error, _OUTAGES) or (isinstance(error, ProviderError) and error.code in _OUTAGE_CODES):
        return Failure(error) if request is not None else None
    # Another model may take what this one does not.
    if isinstance(error, FileUnreadable):
        return Failure(error, is_outage=False) if error.code in _UNSEEN else None
    takes_files = isinstance(error, Unsupported) and request is not None and any(map(has_files, request.messages))
    return Failure(error, is_outage=False) if takes_files or isinstance(error, ContextTooLong) else None


def cannot_stand_in(attempt: "Attempt", before: "Attempt | None", failure: Failure | None) -> str:
    """Return why a prepared model can't be asked; empty if it can.

    Args:
        attempt: of that model.
        before: attempt of the model that has failed; None if none was asked.
        failure: why it has failed.
    """
    unseen = _unseen(attempt)
    if unseen and (before is None or before.request is None or unseen > _unseen(before)):
        return "files"
    if failure is not None and isinstance(failure.error, ContextTooLong):
        room, had = attempt.context.room, before.context.room if before is not None else None
        if room is None or room <= (had or 0):
            return "context"
    return ""


def _of_empty(answer: "Answer") -> Failure | None:
    # The text may stand in the reasoning, see ``ThoughtSplitter.answer_in_thought``.
    if answer.is_filtered or answer.is_over_limit or answer.outcome().text.strip():
        return None
    return Failure(BadResponse(f"{answer.model} gave an empty answer"), is_outage=False)


def _unseen(attempt: "Attempt") -> int:
    return sum(error.code in _UNSEEN for error in attempt.gathered.unread)
