"""Tests of the ends of answers: their reasons, and streams that break."""

import inspect
from contextlib import suppress

import pytest

from tgllm.api import FinishReason, ProviderError, Refused, StreamEvent, TextDelta
from tgllm.testing.asking import hear
from tgllm.testing.conformance.checking import check, not_covered, offered
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject
from tgllm.testing.fake_providers.base.deviations import BREAKS

__all__ = ["EndingTests"]

_PIECES = ("Only the beginning ", "of it ")
_LONG = "a long line of more than a hundred thousand characters " * 3_000


class EndingTests(Kit):
    """An answer is complete only where the service says so, and its reason is kept."""

    @pytest.mark.parametrize("reason", ["length", "filtered", "other"])
    async def test_the_finish_reason_is_told(self, subject: Subject, reason: FinishReason) -> None:
        """``Finished.reason`` is the service's own, so that the chat says that an answer is cut off or filtered."""
        _answer(subject, reason)
        try:
            heard = await subject.hear(subject.ask("Go on"))
        except Refused:
            check(reason == "filtered", f"it raises Refused for an answer that ended with {reason!r}")
            return
        found = heard.finished.reason
        check(found == reason, f"the service ended the answer with {reason!r}, and Finished says {found!r}")
        check(heard.text == "".join(_PIECES), f"the answer's text became {heard.text!r}")

    async def test_a_stream_that_breaks_is_an_error(self, subject: Subject) -> None:
        """An answer that is cut off, or broken by an error event, raises an error: no end of its own is made up."""
        wrong: dict[str, str] = {}
        ordered = False
        for form in BREAKS:
            with suppress(NotImplementedError):
                subject.service.break_with(form, *_PIECES)
                ordered = True
                if complaint := await _unbroken(subject):
                    wrong[form] = complaint
        if not ordered:
            not_covered("override break_with")
        check(not wrong, f"these broken streams do not end as they should: {wrong}")

    async def test_an_empty_piece_is_not_the_end(self, subject: Subject) -> None:
        """An empty piece of text, as services send at any place, does not end the answer."""
        offered("answer", lambda: subject.service.answer("", "before ", "", "and after", ""))
        heard = await subject.hear(subject.ask("Go on"))
        check(
            heard.text == "before and after", f"the text 'before and after', with empty pieces, became {heard.text!r}"
        )

    async def test_a_long_piece_arrives(self, subject: Subject) -> None:
        """A piece that is longer than the buffers of usual HTTP clients is read whole."""
        offered("answer", lambda: subject.service.answer("first ", _LONG, "last"))
        # A service may write byte by byte.
        heard = await hear(subject.provider, subject.ask("Go on"), seconds=3 * subject.seconds)
        check(heard.text == f"first {_LONG}last", f"of {len(_LONG) + 10} characters came {len(heard.text)}, or others")


def _answer(subject: Subject, reason: FinishReason) -> None:
    """Order an answer with this finish reason, unless the service is for an earlier kit or has no such reason."""
    parameters = inspect.signature(subject.service.answer).parameters.values()
    takes = any(one.name == "finish" or one.kind is one.VAR_KEYWORD for one in parameters)
    if not takes:
        not_covered("let answer take finish")
    try:
        subject.service.answer(*_PIECES, finish=reason)
    except NotImplementedError:
        if type(subject.service).answer.__module__.endswith("conformance.under_test"):
            not_covered("override answer")
        pytest.skip(f"the service has no finish reason for {reason!r}")


async def _unbroken(subject: Subject) -> str:
    """Ask for an answer that breaks, and return what is wrong about its end; empty if it is an error."""
    asked, events = _questions(subject), list[StreamEvent]()
    try:
        async for event in subject.listen(subject.ask("Go on")):
            events.append(event)
    except ProviderError:
        pass
    except Exception as error:  # noqa: BLE001  anything else is what the test has to find
        return f"raises {error!r}, which is no ProviderError"
    else:
        return f"ends with {events[-1:]}, as if it were complete"
    begun = any(isinstance(event, TextDelta) for event in events)
    if begun and (again := _questions(subject) - asked) > 1:
        return f"is asked for {again} times, though its beginning was shown"
    return ""


def _questions(subject: Subject) -> int:
    with suppress(NotImplementedError):
        return subject.service.count_questions()
    return 0
