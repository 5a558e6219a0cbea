"""Error bodies of the Gemini API: ``google.rpc.Status`` as JSON."""

from typing import Any

from tgllm.testing.fake_providers.base.errors import Errors, FakeError

__all__ = ["GeminiErrors"]

_RPC = "type.googleapis.com/google.rpc."
_QUOTA = "You exceeded your current quota, please check your plan and billing details."


class GeminiErrors(Errors):
    """Sources: ai.google.dev (API errors), google.rpc error details, and error bodies quoted in public issues."""

    def wrong_key(self, given: str) -> FakeError:
        """Return 400, not 401; 403 without any key."""
        if not given:
            return _error(403, "Method doesn't allow unregistered callers.", "PERMISSION_DENIED")
        info = {
            "@type": f"{_RPC}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }
        message = "API key not valid. Please pass a valid API key."
        return _error(400, message, "INVALID_ARGUMENT", [info])

    def wrong_token(self) -> FakeError:
        """Return Vertex AI's 401."""
        message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
        return _error(401, message, "UNAUTHENTICATED")

    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Return 429 for a quota per minute; the delay is in RetryInfo, not in a header."""
        return _quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", seconds)

    def out_of_quota(self) -> FakeError:
        """Return 429 for a quota per day. Like the real API, it contains a delay, which is far too short."""
        return _quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 7)

    def unknown_model(self, model: str) -> FakeError:
        """Return 404."""
        message = f"models/{model} is not found for API version v1, or is not supported for generateContent."
        return _error(404, message, "NOT_FOUND")

    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return 400 with both numbers."""
        message = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit})."
        return _error(400, message, "INVALID_ARGUMENT")

    def overloaded(self) -> FakeError:
        """Return 503."""
        return _error(503, "The model is overloaded. Please try again later.", "UNAVAILABLE")

    def internal(self) -> FakeError:
        """Return 500."""
        return _error(500, "An internal error has occurred. Please retry.", "INTERNAL")

    def wrong_place(self) -> FakeError:
        """Return 400: the API is not available in the caller's country."""
        return _error(400, "User location is not supported for the API use.", "FAILED_PRECONDITION")

    def not_ready(self, file: str) -> FakeError:
        """Return 400: the file is still being processed."""
        message = f"The File {file} is not in an ACTIVE state and usage is not allowed."
        return _error(400, message, "FAILED_PRECONDITION")

    def no_file(self, file: str) -> FakeError:
        """Return 403: there is no such file, or it belongs to another account."""
        message = f"You do not have permission to access the File {file} or it may not exist."
        return _error(403, message, "PERMISSION_DENIED")

    def invalid(self, message: str) -> FakeError:
        """Return 400."""
        return _error(400, message, "INVALID_ARGUMENT")

    def unknown_field(self, name: str, place: str) -> FakeError:
        """Return 400 with the field's name and path."""
        message = f"Invalid JSON payload received. Unknown name \"{name}\" at '{place}': Cannot find field."
        violation = {"field": place, "description": message}
        details = [{"@type": f"{_RPC}BadRequest", "fieldViolations": [violation]}]
        return _error(400, message, "INVALID_ARGUMENT", details)

    def not_found(self, what: str) -> FakeError:
        """Return 404."""
        return _error(404, f"Requested entity was not found: {what}", "NOT_FOUND")


def _quota(quota_id: str, seconds: float | None) -> FakeError:
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
    }
    links = [{"description": "Learn more", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]
    details: list[dict[str, Any]] = [
        {"@type": f"{_RPC}Help", "links": links},
        {"@type": f"{_RPC}QuotaFailure", "violations": [violation]},
    ]
    if seconds is None:
        return _error(429, _QUOTA, "RESOURCE_EXHAUSTED", details)
    details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{seconds:g}s"})
    return _error(429, f"{_QUOTA}\nPlease retry in {seconds:g}s.", "RESOURCE_EXHAUSTED", details)


def _error(status: int, message: str, name: str, details: list[dict[str, Any]] | None = None) -> FakeError:
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = details
    return FakeError(status, {"error": error})
