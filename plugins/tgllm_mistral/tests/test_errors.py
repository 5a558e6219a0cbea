"""Failures in the forms of this API; the conformance kit tests those that every provider maps."""

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ModelNotFound,
    ProviderError,
    RateLimited,
    TextDelta,
    Unavailable,
    Unsupported,
)
from tgllm.testing.asking import failure, question
from tgllm.testing.fake_providers import FakeError, FakeMistral
from tgllm.testing.fake_providers.mistral_errors import MistralErrors
from tgllm_mistral.provider import MistralProvider

REQUEST = question("mistral-small-2603", "Hello")
API = MistralErrors()
NO_PICTURES = API.invalid("Image input is not enabled for this model", code="3051")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FakeError(401, {"message": "Unauthorized", "request_id": "1"}), AuthFailed),
        (API.rate_limited_by_gateway(), RateLimited),
        (API.internal(), Unavailable),
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

    found = await failure(provider, REQUEST)

    assert type(found) is kind
    assert fake.key not in f"{found!r} {found.params}"


async def test_the_wait_of_the_gateway_is_told(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.answer(error=API.rate_limited_by_gateway(45_500))

    found = await failure(provider, REQUEST)

    assert isinstance(found, RateLimited)
    assert found.retry_after == 45.5


async def test_a_fault_in_the_middle_of_an_answer(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.answer(["Hel", API.internal()])
    events = provider.generate(REQUEST)
    assert await anext(events) == TextDelta("Hel")

    with pytest.raises(Unavailable):
        await anext(events)
    assert len(fake.requests) == 1


async def test_an_answer_that_ends_with_an_error_is_none(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.answer("Hel", finish="error")

    assert type(await failure(provider, REQUEST)) is Unavailable


async def test_a_passing_fault_is_not_seen(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.answer(error=API.overloaded())
    fake.answer(error=API.rate_limited(1))
    fake.answer("Hello")

    events = [event async for event in provider.generate(REQUEST)]

    assert TextDelta("Hello") in events
    assert len(fake.requests) == 3


async def test_a_list_with_a_wrong_key_is_not_tried_again(provider: MistralProvider, fake: FakeMistral) -> None:
    fake.key = "another"

    with pytest.raises(AuthFailed):
        await provider.list_models()
    assert len(fake.requests) == 1
