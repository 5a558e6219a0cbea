"""Every way in which the API fails is an error of the contract, without the key."""

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ChatMessage,
    ChatRequest,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Refused,
    TextDelta,
    TextPart,
    Unavailable,
    Unsupported,
    Waiting,
)
from tgllm.testing.fake_providers import FakeDipseek, FakeError, Signal
from tgllm.testing.fake_providers.dipseek_errors import DipseekErrors
from tgllm_dipseek.provider import DipseekProvider

REQUEST = ChatRequest("deepseek-flash", (ChatMessage("user", (TextPart("Hello"),)),))
API = DipseekErrors()
NO_PICTURES = API.invalid("messages[0]: unknown variant `image_url`, expected `text` at line 1 column 1")
DONE_IS_MISSING = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'


async def error_of(provider: DipseekProvider, request: ChatRequest = REQUEST) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        _ = [event async for event in provider.generate(request)]
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (API.wrong_key("x"), AuthFailed),
        (API.rate_limited(2), RateLimited),
        (API.out_of_quota(), QuotaExceeded),
        (FakeError(402, "<html></html>", content_type="text/html"), QuotaExceeded),
        (API.unknown_model("m"), ModelNotFound),
        (API.too_long(10, 5), ContextTooLong),
        (API.overloaded(), Unavailable),
        (API.internal(), Unavailable),
        (API.risky(), Refused),
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

    found = await error_of(provider)

    assert type(found) is kind
    assert fake.key not in f"{found!r} {found.params}"


async def test_not_even_the_end_of_a_wrong_key_is_told(provider: DipseekProvider, fake: FakeDipseek) -> None:
    sent, fake.key = fake.key, "another"

    found = await error_of(provider)

    assert type(found) is AuthFailed
    assert sent[-4:] not in f"{found!r} {found.params}"
    assert len(fake.requests) == 1


async def test_the_wait_is_told(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer(error=API.rate_limited(40))

    found = await error_of(provider)

    assert isinstance(found, RateLimited)
    assert found.retry_after == 40


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (API.rate_limited(), RateLimited),
        (API.overloaded(), Unavailable),
        (API.too_long(10, 5), ContextTooLong),
        (API.risky(), Refused),
        (Signal.CUT, Unavailable),
        (Signal.EOF, Unavailable),
        (b"data: {broken\n\n", BadResponse),
    ],
)
async def test_in_the_middle_of_an_answer(
    provider: DipseekProvider, fake: FakeDipseek, step: FakeError | Signal | bytes, kind: type[ProviderError]
) -> None:
    fake.answer(["Hel", step])
    events = provider.generate(REQUEST)
    assert await anext(events) == Waiting("queue")
    assert await anext(events) == TextDelta("Hel")

    with pytest.raises(ProviderError) as caught:
        await anext(events)
    assert type(caught.value) is kind
    assert len(fake.requests) == 1


async def test_an_answer_without_done_is_cut_off(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer([DONE_IS_MISSING, Signal.EOF])

    assert type(await error_of(provider)) is Unavailable


async def test_an_answer_that_was_given_up_is_none(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer("Hel", finish="insufficient_system_resource")

    assert type(await error_of(provider)) is Unavailable


async def test_an_answer_that_was_blocked_is_refused(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer("", finish="content_filter")

    assert type(await error_of(provider)) is Refused


async def test_a_passing_fault_is_not_seen(provider: DipseekProvider, fake: FakeDipseek) -> None:
    fake.answer(error=API.overloaded())
    fake.answer("")
    fake.answer("Hello")

    events = [event async for event in provider.generate(REQUEST)]

    assert TextDelta("Hello") in events
    assert len(fake.requests) == 3
