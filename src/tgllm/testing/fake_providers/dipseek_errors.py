"""Error bodies of the DeepSeek API."""

from tgllm.testing.fake_providers.base.errors import Errors, FakeError

__all__ = ["DipseekErrors"]


class DipseekErrors(Errors):
    """Sources: api-docs.deepseek.com (error codes) and error bodies quoted in public issues."""

    def wrong_key(self, given: str) -> FakeError:
        """Return 401; like the real API, it repeats the last four characters of the key."""
        message = f"Authentication Fails, Your api key: ****{given[-4:]} is invalid"
        return _error(401, message, "authentication_error")

    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Return 429: too many concurrent requests; the delay, if any, is in Retry-After."""
        headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
        return _error(429, "Rate limit reached: too many concurrent requests", "rate_limit_error", headers)

    def out_of_quota(self) -> FakeError:
        """Return 402: the account has no credit."""
        return _error(402, "Insufficient Balance", "unknown_error")

    def unknown_model(self, model: str) -> FakeError:
        """Return 400; the body does not contain the model's name."""
        del model
        return _error(400, "Model Not Exist", "invalid_request_error")

    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return 400 with both numbers."""
        message = (
            f"This model's maximum context length is {limit} tokens. However, you requested {tokens} tokens "
            f"({tokens} in the messages, 0 in the completion). Please reduce the length of the messages or completion."
        )
        return _error(400, message, "invalid_request_error")

    def overloaded(self) -> FakeError:
        """Return 503."""
        return _error(503, "Service is too busy. Please retry later.", "service_unavailable_error")

    def internal(self) -> FakeError:
        """Return 500."""
        return _error(500, "Internal Server Error", "internal_error")

    def risky(self) -> FakeError:
        """Return 400: blocked by the content filter."""
        return _error(400, "Content Exists Risk", "invalid_request_error")

    def invalid(self, message: str) -> FakeError:
        """Return 400."""
        return _error(400, message, "invalid_request_error")

    def invalid_parameters(self, message: str) -> FakeError:
        """Return 422."""
        return _error(422, message, "invalid_request_error")

    def not_found(self, what: str) -> FakeError:
        """Return 404."""
        return _error(404, f"Not found: {what}", "invalid_request_error")


def _error(status: int, message: str, kind: str, headers: dict[str, str] | None = None) -> FakeError:
    body = {"error": {"message": message, "type": kind, "param": None, "code": "invalid_request_error"}}
    # The real API has been observed to send JSON with this type.
    return FakeError(status, body, {"x-ds-trace-id": "fake-trace", **(headers or {})}, "application/octet-stream")
