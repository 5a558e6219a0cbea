"""Tests of answers and errors that deviate from the format of the service, as gateways send them."""

from collections.abc import Sized
from contextlib import suppress

from tgllm.api import ProviderError
from tgllm.testing.conformance.checking import check, not_covered
from tgllm.testing.conformance.kit import Kit
from tgllm.testing.conformance.subject import Subject
from tgllm.testing.fake_providers.base.deviations import DEVIATIONS, ERROR_FORMS

__all__ = ["DeviationTests"]

_PIECES = ("The first piece ", "and the second,\n\n", "then the last")
_UNMARKED = frozenset(
    {
        "no [DONE]",
        "json lines",
        "chunks as a list",
        "cut after the end",
        "truncated after the end",
        "error after the end",
    }
)
"""Deviations without ``[DONE]``."""
_WORDS = "The upstream of the gateway is on strike"


class DeviationTests(Kit):
    """A complete answer is kept, however it is sent, and the service's own words are in the error."""

    async def test_deviations_of_gateways_are_tolerated(self, subject: Subject) -> None:
        """Each complete answer ends with "stop" and its whole text, as docs/reference/provider-errors.md lists them."""
        wanted, found = ("".join(_PIECES), "stop"), dict[str, tuple[str, str]]()
        for name in DEVIATIONS:
            with suppress(NotImplementedError):
                subject.service.deviate(name, *_PIECES)
                found[name] = await _heard(subject)
        _skip_without("deviate", found)
        # A service may promise the end mark, so that its reader requires it (``ChatReader.needs_done``).
        strict = _UNMARKED if found.get("no [DONE]", wanted) != wanted else frozenset[str]()
        wrong = {name: heard for name, heard in found.items() if heard != wanted and name not in strict}
        check(not wrong, f"these complete answers are not read as such: {wrong}")

    async def test_an_error_in_place_of_an_answer_is_told(self, subject: Subject) -> None:
        """An error with the status 200 is raised with the service's own words, without the key that it repeats."""
        found: dict[str, str] = {}
        for form in ERROR_FORMS:
            with suppress(NotImplementedError):
                subject.service.fail_in_place(form, f"{_WORDS} ({subject.secret})")
                found[form] = str(await subject.failure())
        _skip_without("fail_in_place", found)
        wrong = {form: told for form, told in found.items() if _WORDS not in told}
        check(not wrong, f"these errors do not have the service's words {_WORDS!r}: {wrong}")
        leaks = [form for form, told in found.items() if subject.secret and subject.secret in told]
        check(not leaks, f"the key stands in the errors of these forms: {leaks}")


async def _heard(subject: Subject) -> tuple[str, str]:
    try:
        heard = await subject.hear(subject.ask("Hello"))
    except ProviderError as error:
        return repr(error), "error"
    return heard.text, heard.finished.reason


def _skip_without(operation: str, found: Sized) -> None:
    """Skip the test if the service supports none of its orders."""
    if not found:
        not_covered(f"override {operation}")
