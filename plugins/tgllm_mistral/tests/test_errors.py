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
)
from tgllm.testing.fake_providers import FakeError, FakeMistral, Signal
from tgllm.testing.fake_providers.mistral_errors import MistralErrors
from tgllm_mistral.provider import MistralProvider

REQUEST = ChatRequest("mistral-small-2603", (ChatMessage("user", (TextPart("Hello"),)),))
API = MistralErrors()
NO_PICTURES = API.invalid("Image input is not enabled for this model", code="3051")


async def error_of(provider: MistralProvider, request: ChatRequest = REQUEST) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        _ = [event async for event in provider.generate(request)]
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (API.wrong_key("x"), AuthFailed),
        (FakeError(401, {"message": "Unauthorized", "request_id": "1"}), AuthFailed),
        (API.rate_limited(2), RateLimited),
        (API.rate_limited_by_gateway(), RateLimited),
        (API.out_of_quota(), QuotaExceeded),
        (API.unknown_model("m"), ModelNotFound),
        (API.too_long(10, 5), ContextTooLong),
        (API.overloaded(), Unavailable),
        (API.internal(), Unavailable),
        (API.guarded(), Refused),
        (API.invalid("Something else"), ProviderError),
        (API.invalid_fields([{"loc": ["body", "foo"], "msg": "Extra inputs are not permitted"}]), ProviderError),
        (API.not_found("/x"), ModelNotFound),
        (NO_PICTURES, Unsupported),
        (FakeError.html(502), Unavailable),
        (FakeError.html(404), BadResponse),
        (FakeError(403, "<html></html>", content_type="text/html"), AuthFailed),
    ],
)
async def test_an_error_has_its_kind(
    provider: MistralProvider, fake: FakeMistral, error: FakeError, kind: type[ProviderError]
) -> None:
    for _ in range(3):
        fake.answer(error=error)

    found = await error_of(provider)

    assert type(found) is kind
    assert fake.key not in f"{found!r} {found.params}"


@pytest.mark.parametrize(("error", "wait"), [(API.rate_limited(40), 40), (API.rate_limited_by_gateway(45_500), 45.5)])
async def test_the_wait_is_told(provider: MistralProvider, fake: FakeMistral, error: FakeError, wait: float) -> None:
    fake.answer(error=error)

    found = await error_of(provider)

    assert isinstance(found, RateLimited)
    assert found.retry_after == wait


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (API.rate_limited(), RateLimited),
        (API.internal(), Unavailable),
        (API.too_long(10, 5), ContextTooLong),
        (Signal.CUT, Unavailable),
        (Signal.EOF, Unavailable),
        (b"data: {broken\n\n", BadResponse),
    ],
)
async def test_in_the_middle_of_an_answer(
    provider: MistralProvider, fake: FakeMistral, step: FakeError | Signal | bytes, kind: type[ProviderError]
) -> None:
    fake.answer(["Hel", step])
    events = provider.generate(REQUEST)
    assert await anext(events) == TextDelta("Hel")

    with pytest.raises(kind):
        await anext(events)
    assert len(fake.requests) == 1


async def test_an_answer_that_ends_with_an_error_is_none(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.answer("Hel", finish="error")

    assert type(await error_of(provider)) is Unavailable


async def test_a_passing_fault_is_not_seen(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.answer(error=API.overloaded())
    fake.answer(error=API.rate_limited(1))
    fake.answer("Hello")

    events = [event async for event in provider.generate(REQUEST)]

    assert TextDelta("Hello") in events
    assert len(fake.requests) == 3


async def test_a_wrong_key_is_not_tried_again(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.key = "another"

    assert type(await error_of(provider)) is AuthFailed
    with pytest.raises(AuthFailed):
        await provider.list_models()
    assert len(fake.requests) == 2
