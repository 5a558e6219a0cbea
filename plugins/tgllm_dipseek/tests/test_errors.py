"""Failures in the forms of this API; the conformance kit tests those that every provider maps."""

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    Refused,
    TextDelta,
    Unavailable,
    Unsupported,
    Waiting,
)
from tgllm.testing.asking import failure, hear, question
from tgllm.testing.fake_providers import FakeDipseek, FakeError, Signal
from tgllm.testing.fake_providers.dipseek_errors import DipseekErrors
from tgllm_dipseek.provider import DipseekProvider

REQUEST = question("deepseek-flash", "Hello")
API = DipseekErrors()
NO_PICTURES = API.invalid("messages[0]: unknown variant `image_url`, expected `text` at line 1 column 1")
DONE_IS_MISSING = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FakeError(402, "<html></html>", content_type="text/html"), QuotaExceeded),
        (API.internal(), Unavailable),
        (API.invalid("Something else"), ProviderError),
        (API.invalid_parameters("Something else"), ProviderError),
        (API.not_found("/x"), ModelNotFound),
        (NO_PICTURES, Unsupported),
        (FakeError.html(502), Unavailable),
        (FakeError.html(404), BadResponse),
    ],
)
async def test_an_error_has_its_kind(
    provider: DipseekProvider, fake: FakeDipseek, error: FakeError, kind: type[ProviderError]
) -> None:
    for _ in range(3):
        fake.answer(error=error)

    found = await failure(provider, REQUEST)

    assert type(found) is kind
    assert fake.key not in f"{found!r} {found.params}"


async def test_not_even_the_end_of_a_wrong_key_is_told(provider: DipseekProvider, fake: FakeDipseek) -> None:
    sent, fake.key = fake.key, "another"

    found = await failure(provider, REQUEST)

    assert type(found) is AuthFailed
    assert sent[-4:] not in f"{found!r} {found.params}"
    assert len(fake.requests) == 1


async def test_an_answer_that_is_blocked_midway_is_refused(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer(["Hel", API.risky()])
    events = provider.generate(REQUEST)
    assert await anext(events) == Waiting("queue")
    assert await anext(events) == TextDelta("Hel")

    with pytest.raises(ProviderError) as caught:
        await anext(events)
    assert type(caught.value) is Refused
    assert len(fake.requests) == 1


async def test_an_answer_with_a_finish_reason_needs_no_done(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer([DONE_IS_MISSING, Signal.EOF])

    assert (await hear(provider, REQUEST)).text == "a"


async def test_an_answer_that_was_given_up_is_none(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer("Hel", finish="insufficient_system_resource")

    assert type(await failure(provider, REQUEST)) is Unavailable


async def test_an_answer_that_was_blocked_is_refused(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer("", finish="content_filter")

    assert type(await failure(provider, REQUEST)) is Refused


async def test_a_passing_fault_is_not_seen(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer(error=API.overloaded())
    fake.answer("")
    fake.answer("Hello")

    events = [event async for event in provider.generate(REQUEST)]

    assert TextDelta("Hello") in events
    assert len(fake.requests) == 3
