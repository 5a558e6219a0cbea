"""Tests of responses that no provider expects: odd statuses, redirects, requests that are refused."""

from collections.abc import Mapping
from contextlib import suppress

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ContextTooLong,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unavailable,
)
from tgllm.testing.conformance.checking import check, offered, raising
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.network.catcher import catching
from tgllm.testing.conformance.subject import Subject

__all__ = ["ResponseTests"]

_PAGE = b"<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"
_STATUSES: Mapping[int, tuple[type[ProviderError], ...]] = {
    204: (ProviderError,),
    400: (ProviderError,),
    401: (AuthFailed,),
    403: (ProviderError,),
    404: (ProviderError,),
    405: (ProviderError,),
    408: (ProviderError,),
    413: (ProviderError,),
    418: (ProviderError,),
    429: (RateLimited, QuotaExceeded),
    500: (Unavailable,),
    502: (Unavailable,),
    503: (Unavailable,),
    504: (Unavailable,),
}
"""Statuses with a page of a proxy, and the errors that fit."""
_FINAL = (ContextTooLong, QuotaExceeded, Refused)
_REDIRECTS = (301, 302, 303, 307, 308)
_HTML = {"Content-Type": "text/html"}
_PRIVATE = "a confidential question 4711"


class ResponseTests(Kit):
    """Any response leads to an error of the contract, and none makes the provider give away its key."""

    async def test_any_status_is_an_error_of_the_contract(self, subject: Subject) -> None:
        """A page of a proxy, with any status, raises a ProviderError: that which fits, where the status says it."""
        wrong: dict[int, str] = {}
        for status, kinds in _STATUSES.items():
            body = b"" if status == 204 else _PAGE
            offered("respond", lambda status=status, body=body: subject.service.respond(status, body, _HTML))
            try:
                heard = await subject.hear(subject.ask("Hello"))
            except Exception as error:  # noqa: BLE001  anything that is no ProviderError is what the test has to find
                if not isinstance(error, kinds):
                    wrong[status] = repr(error)
            else:
                wrong[status] = f"the answer {heard.text!r}"
        check(not wrong, f"these statuses do not raise the error that fits: {wrong}")

    async def test_a_wrong_request_is_not_tried_again(self, subject: Subject) -> None:
        """A request that the service refuses (400) is sent once: it would be refused again."""
        offered("respond", lambda: subject.service.respond(400, b'{"error": {"message": "This request is wrong"}}'))
        await _check_sent_once(subject, "refused the request with 400")

    @pytest.mark.parametrize("kind", _FINAL, ids=[kind.__name__ for kind in _FINAL])
    async def test_what_would_fail_again_is_not_tried_again(self, subject: Subject, kind: type[ProviderError]) -> None:
        """Where a second attempt would fail, too, the question is sent once."""
        offered("fail", lambda: subject.service.fail(kind))
        await _check_sent_once(subject, f"answered with {kind.__name__}")

    async def test_a_retry_waits_as_long_as_the_service_asks(self, subject: Subject) -> None:
        """If the provider tries again, it waits for ``retry_after`` before, by the clock of its context."""
        offered("count_questions", subject.service.count_questions)
        offered("fail", lambda: subject.service.fail(RateLimited, retry_after=7.0))
        await subject.failure()
        again, waited = subject.service.count_questions() - 1, sum(subject.clock.waits)
        check(
            waited >= 7.0 * again, f"the service asked for waits of 7 s, and {again} more requests came in {waited} s"
        )

    @pytest.mark.parametrize("status", _REDIRECTS)
    async def test_the_key_follows_no_redirect(self, subject: Subject, status: int) -> None:
        """A redirect to another host does not get the key, nor the question."""
        async with catching() as elsewhere:
            there = f"http://localhost:{elsewhere.port}/elsewhere"
            offered("respond", lambda: subject.service.respond(status, b"", {"Location": there}))
            with raising(ProviderError, "the service redirects to another host"):
                await subject.hear(subject.ask(_PRIVATE))
            with suppress(ProviderError):
                await subject.provider.list_models()
        told = "".join(elsewhere.received)
        check(not subject.secret or subject.secret not in told, f"the key was sent to {there}, where {status} points")
        check(_PRIVATE not in told, f"the question was sent to {there}, where {status} points")

    async def test_no_key_is_logged(self, subject: Subject) -> None:
        """The log of an ordinary answer has no key in it."""
        await subject.hear(subject.ask("Hello"))
        await subject.provider.list_models()
        shown = [line for line in subject.log if subject.secret and subject.secret in line]
        check(not shown, f"the key stands in the log: {[line.replace(subject.secret, '<the key>') for line in shown]}")

    @pytest.mark.parametrize("kind", [RateLimited, BadResponse, Unavailable], ids=lambda kind: kind.__name__)
    async def test_no_question_is_told(self, subject: Subject, kind: type[ProviderError]) -> None:
        """What a person wrote is not part of an error, which is logged and shown to admins."""
        offered("fail", lambda: subject.service.fail(kind))
        with raising(ProviderError, f"the service fails ({kind.__name__})") as caught:
            await subject.hear(subject.ask(_PRIVATE, system=_PRIVATE))
        told = f"{caught.value!r} {caught.value} {dict(caught.value.params)}"
        check(_PRIVATE not in told, f"the question stands in the error: {told}")


async def _check_sent_once(subject: Subject, what: str) -> None:
    offered("count_questions", subject.service.count_questions)
    await subject.failure()
    sent = subject.service.count_questions()
    check(sent == 1, f"the service {what}, and was asked {sent} times")
