"""What a service says instead of an answer, read as it may come."""

import pytest

from tgllm.api import AuthFailed, BadResponse, ContextTooLong, ProviderError, RateLimited, Unavailable, Unsupported
from tgllm.providers.failure import Failure, explain, wait_hint

NOW = "Sun, 22 Nov 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "2", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 07:28:10 GMT", "date": NOW}, 10.0),
        ({"retry-after": "Sun, 22 Nov 2026 07:27:00 GMT", "date": NOW}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 07:28:10 GMT"}, None),
        ({"retry-after": "soon", "date": NOW}, None),
        ({"retry-after": "-5", "date": NOW}, None),
        ({"retry-after": "1e400", "date": NOW}, None),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "date": NOW}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_service_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_hint(Failure("host", 429, headers)) == seconds


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error": {"message": "This model\'s maximum context length is 9 tokens"}}', ContextTooLong),
        (422, b'{"detail": [{"loc": ["body", "foo"], "msg": "Extra inputs are not permitted"}]}', ProviderError),
        (401, b'{"detail": "Unauthorized"}', AuthFailed),
        (413, b"<html>too large</html>", Unsupported),
        (429, b'{"message": "Requests rate limit exceeded"}', RateLimited),
        (404, b"<html>nothing here</html>", BadResponse),
        (503, b"", Unavailable),
        (0, b'{"object": "error", "message": "Rate limit exceeded", "type": "rate_limited"}', RateLimited),
    ],
)
def test_bodies_of_all_forms(status: int, body: bytes, kind: type[ProviderError]) -> None:
    assert type(explain(Failure("host", status, {}, body))) is kind


def test_what_a_person_wrote_is_not_repeated() -> None:
    body = b'{"detail": [{"loc": ["body", "messages"], "msg": "Field required", "input": "my secret question"}]}'

    assert "secret" not in str(explain(Failure("host", 422, {}, body)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "the upstream is down", "type": "server_error"}}\n\ntrailing words',
        b'{"error": {"message": "the upstream is down", "type": "server_error", "input": "' + b"x" * 70_000,
        b'{"detail": [{"loc": ["body"], "msg": "the upstream is down", "input": {"messages": [{"content": "secr',
    ],
)
def test_the_words_of_json_that_is_cut_or_goes_on(body: bytes) -> None:
    assert str(explain(Failure("host", 500, {}, body))) == "host answered 500: the upstream is down"


def test_a_cut_message_is_read_as_far_as_it_goes() -> None:
    error = explain(Failure("host", 500, {}, b'{"error": {"message": "the upstream \\"a\\" is do'))

    assert str(error) == 'host answered 500: the upstream "a" is do'
