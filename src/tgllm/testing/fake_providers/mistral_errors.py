"""Error bodies of the Mistral API, in three formats."""

from collections.abc import Sequence
from typing import Any

from tgllm.testing.fake_providers.base.errors import Errors, FakeError

__all__ = ["MistralErrors"]


class MistralErrors(Errors):
    """Sources: docs.mistral.ai (error glossary) and error bodies quoted in public issues."""

    def wrong_key(self, given: str) -> FakeError:
        """Return 401 with ``detail``."""
        del given  # the body does not contain it
        return FakeError(401, {"detail": "Unauthorized"})

    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Return 429 from the API itself; the delay is in Retry-After."""
        headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
        return _error(429, "Rate limit exceeded", "rate_limited", "1300", headers)

    def rate_limited_by_gateway(self, milliseconds: int | None = None) -> FakeError:
        """Return 429 from the API's gateway; the delay, if any, is in retry-after-ms."""
        headers = {} if milliseconds is None else {"retry-after-ms": str(milliseconds)}
        return FakeError(429, {"message": "Requests rate limit exceeded"}, headers)

    def out_of_quota(self) -> FakeError:
        """Return 402 from the gateway: no payment method, or the monthly limit is reached."""
        return FakeError(402, {"message": "Payment required", "request_id": "fake-request"})

    def unknown_model(self, model: str) -> FakeError:
        """Return 400 with code 1500."""
        return _error(400, f"Invalid model: {model}", "invalid_model", "1500")

    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return 400 with both numbers."""
        held = f"Prompt contains {tokens} tokens and 0 draft tokens"
        message = f"{held}, too large for model with {limit} maximum context length"
        return _error(400, message, "invalid_request_invalid_args", "3051")

    def overloaded(self) -> FakeError:
        """Return 429 with the code for a model at its capacity."""
        message = "Service tier capacity exceeded for this model."
        return _error(429, message, "service_tier_capacity_exceeded", "3505")

    def internal(self) -> FakeError:
        """Return 500."""
        return _error(500, "Internal server error", "internal_server_error", "1000")

    def guarded(self) -> FakeError:
        """Return 403: blocked by a guardrail."""
        return _error(403, "The request was blocked by a guardrail.", "guardrail_violation", "1920")

    def invalid(self, message: str, kind: str = "invalid_request_error", code: str = "3000") -> FakeError:
        """Return 400."""
        return _error(400, message, kind, code)

    def invalid_fields(self, details: Sequence[dict[str, Any]]) -> FakeError:
        """Return 422 with the list of invalid fields."""
        return FakeError(422, {"detail": list(details)})

    def not_found(self, what: str) -> FakeError:
        """Return 404."""
        return _error(404, f"No route or object: {what}", "not_found", "1910")


def _error(status: int, message: str, kind: str, code: str, headers: dict[str, str] | None = None) -> FakeError:
    body = {
        "object": "error",
        "message": message,
        "type": kind,
        "param": None,
        "code": code,
        "raw_status_code": status,
    }
    return FakeError(status, body, headers or {})
