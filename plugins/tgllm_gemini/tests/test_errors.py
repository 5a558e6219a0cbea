"""Failures in the forms of this API; the conformance kit tests those that every provider maps."""

from typing import Any

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ProviderError,
    RateLimited,
    Unavailable,
    Unsupported,
)
from tgllm.testing.asking import failure, question
from tgllm.testing.fake_providers import FakeError, FakeGemini
from tgllm.testing.making import Make
from tgllm_gemini.provider import GeminiProvider


async def failed(provider: GeminiProvider) -> ProviderError:
    return await failure(provider, question("gemini-3.8-flash", "Hello"))


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("internal", [], Unavailable),
        ("wrong_place", [], ProviderError),
        ("wrong_key", [""], AuthFailed),
    ],
)
async def test_an_error_of_the_api(
    fake: FakeGemini, provider: GeminiProvider, kind: str, given: list[Any], expected: type[ProviderError]
) -> None:
    fake.fault(":stream", getattr(fake.errors, kind)(*given), times=None)

    assert type(await failed(provider)) is expected


@pytest.mark.parametrize("words", ["Unsupported MIME type: a/b", "Request payload size exceeds the limit: 9 bytes."])
async def test_a_file_that_the_api_does_not_take(fake: FakeGemini, provider: GeminiProvider, words: str) -> None:
    fake.answer(error=fake.errors.invalid(words))

    assert type(await failed(provider)) is Unsupported


async def test_a_long_wait_is_left_to_the_caller(fake: FakeGemini, provider: GeminiProvider, clock: Any) -> None:
    fake.answer(error=fake.errors.rate_limited(600))

    error = await failed(provider)

    assert isinstance(error, RateLimited)
    assert (error.retry_after, clock.waits) == (600, [])


async def test_a_key_that_the_api_repeats_is_hidden(fake: FakeGemini, provider: GeminiProvider) -> None:
    fake.answer(error=fake.errors.invalid(f"the header says {fake.key}"))

    error = await failed(provider)

    assert "[hidden]" in str(error)
    assert fake.key not in str(error)
    assert error.__cause__ is None


async def test_an_error_of_deeply_nested_json(fake: FakeGemini, provider: GeminiProvider) -> None:
    fake.fault(":stream", FakeError(500, "[" * 100_000, content_type="application/json"), times=None)

    assert isinstance(await failed(provider), ProviderError)


async def test_a_key_that_can_t_be_sent(make: Make) -> None:
    assert isinstance(await failed(await make(api_key="schlüssel\n!")), ProviderError)


@pytest.mark.parametrize("status", [502, 404])
async def test_a_proxys_page(fake: FakeGemini, provider: GeminiProvider, status: int) -> None:
    fake.fault(":stream", FakeError.html(status), times=None)

    assert type(await failed(provider)) is (Unavailable if status == 502 else BadResponse)


async def test_a_server_that_is_not_there(make: Make, unused_tcp_port: int) -> None:
    error = await failed(await make(base_url=f"http://127.0.0.1:{unused_tcp_port}"))

    assert isinstance(error, Unavailable)
    assert "127.0.0.1 can't be reached" in str(error)
