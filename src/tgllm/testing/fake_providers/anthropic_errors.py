"""Error bodies of the Anthropic API."""

from tgllm.testing.fake_providers.base.errors import Errors, FakeError

__all__ = ["AnthropicErrors"]

_REQUEST_ID = "req_fake"


class AnthropicErrors(Errors):
    """Errors in the typical form of the Anthropic API (errors, rate limits); wording and numbers may differ."""

    def wrong_key(self, given: str) -> FakeError:
        """Return 401; like no real answer, it repeats the key, to show that clients don't pass it on."""
        return _error(401, "authentication_error", f"invalid x-api-key {given}".rstrip())

    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Return 429; the delay, if any, is in retry-after."""
        limits = {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-11-29T12:00:00Z",
        }
        wait = {} if seconds is None else {"retry-after": f"{seconds:g}"}
        message = "This request would exceed your organization's rate limit of 50 requests per minute."
        return _error(429, "rate_limit_error", message, headers={**limits, **wait})

    def out_of_quota(self) -> FakeError:
        """Return 400: the account has no credit."""
        message = (
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
            "purchase credits."
        )
        return self.invalid(message)

    def unknown_model(self, model: str) -> FakeError:
        """Return 404."""
        return _error(404, "not_found_error", f"model: {model}")

    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return 400 with both numbers."""
        return self.invalid(f"prompt is too long: {tokens} tokens > {limit} maximum")

    def overloaded(self) -> FakeError:
        """Return 529."""
        return _error(529, "overloaded_error", "Overloaded")

    def internal(self) -> FakeError:
        """Return 500."""
        return _error(500, "api_error", "Internal server error")

    def invalid(self, message: str) -> FakeError:
        """Return 400."""
        return _error(400, "invalid_request_error", message)

    def not_found(self, what: str) -> FakeError:
        """Return 404."""
        return _error(404, "not_found_error", f"Not found: {what}")

    def forbidden(self) -> FakeError:
        """Return 403: the key may not use this model or feature."""
        return _error(403, "permission_error", "Your API key does not have permission to use the specified resource.")

    def unpaid(self) -> FakeError:
        """Return 402: the invoice is not paid."""
        return _error(402, "billing_error", "There is an issue with your billing or payment information.")

    def conflict(self) -> FakeError:
        """Return 409."""
        return _error(409, "conflict_error", "The request conflicts with another one. Please retry.")

    def too_large(self) -> FakeError:
        """Return 413: more than 32 MB."""
        return _error(413, "request_too_large", "Request exceeds the maximum size")

    def timed_out(self) -> FakeError:
        """Return 504."""
        return _error(504, "timeout_error", "Request timed out")


def _error(status: int, kind: str, message: str, *, headers: dict[str, str] | None = None) -> FakeError:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": _REQUEST_ID}
    return FakeError(status, body, {"request-id": _REQUEST_ID, **(headers or {})})
