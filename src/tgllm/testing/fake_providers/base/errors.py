"""Errors of an API: their HTTP responses, and the kinds of errors that every API has."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Errors", "FakeError", "Refusal"]


@dataclass(frozen=True, slots=True, eq=False)
class FakeError:
    """An error response. A ``body`` that is a string is sent unchanged, any other as JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"

    @property
    def content(self) -> bytes:
        """The encoded body."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()

    @classmethod
    def html(cls, status: int = 502) -> "FakeError":
        """Return the error page of a proxy in front of the API."""
        page = f"<html><head><title>{status}</title></head><body><h1>{status} Bad Gateway</h1></body></html>"
        return cls(status, page, content_type="text/html")


class Refusal(Exception):
    """Ends the handling of a request with an error response."""

    def __init__(self, error: FakeError) -> None:
        super().__init__(f"answered with {error.status}")
        self.error = error


class Errors(ABC):
    """Error bodies of an API, for the kinds of errors that all APIs have."""

    @abstractmethod
    def wrong_key(self, given: str) -> FakeError:
        """Return the error for an unknown key, ``given``."""

    @abstractmethod
    def rate_limited(self, seconds: float | None = None) -> FakeError:
        """Return the error for too many requests; ``seconds`` is the delay in the response, if any."""

    @abstractmethod
    def out_of_quota(self) -> FakeError:
        """Return the error for exhausted quota or credit, where a retry does not help."""

    @abstractmethod
    def unknown_model(self, model: str) -> FakeError:
        """Return the error for an unknown model."""

    @abstractmethod
    def too_long(self, tokens: int, limit: int) -> FakeError:
        """Return the error for a conversation of ``tokens`` above the model's context window of ``limit``."""

    @abstractmethod
    def overloaded(self) -> FakeError:
        """Return the error for missing capacity."""

    @abstractmethod
    def internal(self) -> FakeError:
        """Return the error for a failure of the server."""

    @abstractmethod
    def invalid(self, message: str) -> FakeError:
        """Return the error for an invalid request."""

    @abstractmethod
    def not_found(self, what: str) -> FakeError:
        """Return the error for an unknown path, file or other object."""
