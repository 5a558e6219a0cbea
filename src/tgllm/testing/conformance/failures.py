"""Tests of the errors that a provider raises, and of the secrecy of its key."""

import traceback
from collections.abc import Iterable
from urllib.parse import quote

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unavailable,
)
from tgllm.testing.conformance.checking import check, offered, raising
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject

__all__ = ["FailureTests"]

_KINDS = (AuthFailed, BadResponse, ContextTooLong, QuotaExceeded, RateLimited, Refused, Unavailable)
_MIDWAY = (BadResponse, ContextTooLong, RateLimited, Unavailable)
_each_kind = pytest.mark.parametrize("kind", _KINDS, ids=[kind.__name__ for kind in _KINDS])


class FailureTests(Kit):
    """Each failure of the service raises the matching error of the contract."""

    @_each_kind
    async def test_a_failure_is_mapped(self, subject: Subject, kind: type[ProviderError]) -> None:
        """The error's class is the one for this failure, because the bot chooses its message by it."""
        subject.service.fail(kind)
        error = await subject.failure()
        check(isinstance(error, kind), f"it raises {error!r} where {kind.__name__} is what happened")

    @_each_kind
    async def test_no_key_is_told(self, subject: Subject, kind: type[ProviderError]) -> None:
        """The key is neither in the error, nor in its causes, nor in the log."""
        subject.service.fail(kind)
        error = await subject.failure()
        check(subject.secret, "the service takes no key, so that none could be told")
        for place, text in (*_told(error), *(("the log", line) for line in subject.log)):
            leaked = any(form in text for form in {subject.secret, quote(subject.secret, safe="")})
            check(not leaked, f"the key stands in {place}: {text.replace(subject.secret, '<the key>')}")

    async def test_an_unknown_model_is_not_found(self, subject: Subject) -> None:
        """An unknown model raises ModelNotFound."""
        with raising(ModelNotFound, "the service has no such model"):
            await subject.hear(subject.ask("Hello", model="no-such-model"))

    async def test_the_wait_that_is_asked_for_is_told(self, subject: Subject) -> None:
        """``RateLimited.retry_after`` is the delay that the service asks for, in seconds."""
        subject.service.fail(RateLimited, retry_after=7.0)
        error = await subject.failure()
        wait = getattr(error, "retry_after", None)
        check(
            isinstance(wait, float | int), f"the service says to wait for 7 s, and retry_after of {error!r} is {wait}"
        )
        check(wait == 7.0, f"the service says to wait for 7 s, and retry_after is {wait}")

    async def test_an_answer_that_breaks_off_is_an_error(self, subject: Subject) -> None:
        """A connection that ends before the answer does raises an error, so that a truncated answer is recognised."""
        subject.service.cut("Only the beginning ", "of it ")
        error = await subject.failure()
        check(isinstance(error, Unavailable | BadResponse), f"it raises {error!r}: Unavailable or BadResponse fits")

    async def test_an_answer_that_ends_too_early_is_an_error(self, subject: Subject) -> None:
        """If the stream ends normally but without the end of the answer, an error is raised."""
        offered("end_early", lambda: subject.service.end_early("Only the beginning ", "of it "))
        error = await subject.failure()
        check(isinstance(error, Unavailable | BadResponse), f"it raises {error!r}: Unavailable or BadResponse fits")

    @pytest.mark.parametrize("kind", _MIDWAY, ids=[kind.__name__ for kind in _MIDWAY])
    async def test_a_failure_in_the_middle_is_mapped(self, subject: Subject, kind: type[ProviderError]) -> None:
        """A failure inside the stream raises the error that fits, and the answer is not restarted."""
        offered("fail_midway", lambda: subject.service.fail_midway(kind, "Only the beginning ", "of it "))
        error = await subject.failure()
        check(isinstance(error, kind), f"it raises {error!r} where {kind.__name__} is what happened")

    async def test_a_wrong_key_is_not_tried_again(self, subject: Subject) -> None:
        """A refused key is not retried: the question is sent once."""
        offered("count_questions", subject.service.count_questions)
        subject.service.fail(AuthFailed)
        await subject.failure()
        sent = subject.service.count_questions()
        check(sent == 1, f"the service refused the key, and was asked {sent} times")

    async def test_a_list_that_cannot_be_had_is_an_error(self, subject: Subject) -> None:
        """``list_models`` raises an error if it fails; an empty list would mean that there are no models."""
        subject.service.fail(AuthFailed)
        with raising(AuthFailed, "the service refuses the key"):
            await subject.provider.list_models()


def _told(error: BaseException) -> Iterable[tuple[str, str]]:
    """Yield every text of an error and of its causes, each with its place."""
    yield "the traceback", "".join(traceback.format_exception(error))
    cause: BaseException | None = error
    while cause is not None:
        yield f"str({type(cause).__name__})", str(cause)
        yield f"repr({type(cause).__name__})", repr(cause)
        yield f"the fields of {type(cause).__name__}", f"{cause.args} {vars(cause)}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
